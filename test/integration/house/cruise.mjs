// Runs dependency-cruiser, an ES module that jest cannot load, over one source tree per argument. Prints the names of the
// rules in the project's own configuration and, for each tree, what they find: { rules, found: [[{ rule, from, to }]] }.
// One process for all trees: starting it is what costs.
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';

const options = await extractOptions(join(import.meta.dirname, '../../../.dependency-cruiser.cjs'));

const found = [];
for (const tree of process.argv.slice(2)) {
  process.chdir(tree);
  const { output } = await cruise(['src', 'migrations'], { ...options, baseDir: tree }, options.enhancedResolveOptions);
  found.push(output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })));
}
process.stdout.write(JSON.stringify({ rules: options.ruleSet.forbidden.map(({ name }) => name), found }));
