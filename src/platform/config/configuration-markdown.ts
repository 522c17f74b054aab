import { DATABASE_VARIABLES } from './database-url.js';
import { Settings } from './settings.js';
import { variablesOf, type VariableOptions } from './variable.js';

/** The text of docs/configuration.md. */
export function configurationMarkdown(): string {
  return [
    '# Configuration',
    '',
    'PhotoSafe reads these environment variables, and beneath them the file `.env` of the folder it is started in',
    '(the environment wins). An empty variable counts as missing. A value that is not allowed stops the start with a',
    'message that names every such variable. This page is generated: `npm run snapshots`.',
    '',
    '## Database',
    '',
    'The first that is set wins: `DATABASE_URL`, `PG_DSN`, any of the `POSTGRES_` ones. With none',
    'of them PhotoSafe runs a PostgreSQL of its own in the data folder, which only this machine reaches.',
    '',
    ...table(DATABASE_VARIABLES),
    '',
    '## Everything else',
    '',
    ...table(variablesOf(Settings)),
    '',
  ].join('\n');
}

function table(variables: readonly VariableOptions[]): string[] {
  const rows = variables.map((variable) => {
    const standard = variable.defaultShown ?? (variable.default === undefined ? '—' : `\`${variable.default}\``);
    return `| \`${variable.name}\` | ${standard} | ${variable.allowed} | ${variable.meaning} |`;
  });
  return ['| Variable | Default | Allowed | Meaning |', '| --- | --- | --- | --- |', ...rows];
}
