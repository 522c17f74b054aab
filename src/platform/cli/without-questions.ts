import nodeModule, { createRequire } from 'node:module';

/**
 * Imported before nest-commander, which loads Inquirer for questions that a command might ask. None of ours does, and
 * Inquirer, with all of Lodash and the operators of RxJS, is a third of the files that `--help` would load.
 */
const require = createRequire(import.meta.url);
const path = createRequire(require.resolve('nest-commander')).resolve('inquirer');
const nothing = new nodeModule(path);
nothing.exports = {};
nothing.loaded = true;
require.cache[path] = nothing;
