import { validateSync } from 'class-validator';
import { invalid, type AppError, type FieldError } from '../errors/app-error.js';
import { databaseFrom, type DatabaseSettings, type Environment } from './database-url.js';
import { variablesOf, type Variable } from './variable.js';

/** Reads every variable of a settings class and the database's, or throws with all that is wrong at once. */
export function readEnvironment<T extends { readonly database: DatabaseSettings }>(
  SettingsClass: new () => T,
  environment: Environment,
): T {
  const variables = variablesOf(SettingsClass);
  const database = databaseFrom(environment);
  const values = Object.fromEntries(variables.map((variable) => [variable.property, read(variable, environment)]));
  const settings = Object.assign(new SettingsClass(), values, { database: Object.freeze(database.settings) });
  const wrong = new Set(validateSync(settings).map((error) => error.property));
  const problems = variables
    .filter((variable) => wrong.has(variable.property))
    .map((variable) => problem(variable, environment[variable.name] ?? ''));
  if (problems.length + database.problems.length > 0) throw badSettings([...problems, ...database.problems]);
  return Object.freeze(settings);
}

/** An empty variable counts as missing: compose files pass on what is not set as ''. */
function read(variable: Variable, environment: Environment): unknown {
  const text = environment[variable.name]?.trim() ? environment[variable.name]?.trim() : variable.default;
  return text === undefined || !variable.parse ? text : variable.parse(text);
}

function problem(variable: Variable, text: string): FieldError {
  const shown =
    text.trim() === ''
      ? 'needed, and not set'
      : variable.secret
        ? `(secret, ${String(text.length)} characters)`
        : JSON.stringify(text);
  return {
    path: variable.name,
    message: `is ${shown}; allowed: ${variable.allowed}`,
    allowed: variable.allowed,
    ...(variable.secret ? {} : { value: text }),
  };
}

function badSettings(fields: readonly FieldError[]): AppError {
  const lines = fields.map((field) => `  ${field.path} ${field.message}`);
  return invalid('bad_settings', `These settings cannot be used:\n${lines.join('\n')}`, { fields });
}
