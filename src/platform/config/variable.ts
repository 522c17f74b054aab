/** What is known of one environment variable. The reader, the messages and docs/configuration.md all come from it. */
export interface VariableOptions {
  /** The variable in the environment. */
  readonly name: string;
  /** Text that stands for the variable when it is missing or empty; leave out when there is no default. */
  readonly default?: string;
  /** How the default reads in the documentation where its text depends on the machine. */
  readonly defaultShown?: string;
  /** Completes the sentence "allowed: …". */
  readonly allowed: string;
  readonly meaning: string;
  /** Its value is never shown. */
  readonly secret?: boolean;
  /** Turns the text into the field's value. What it cannot read becomes NaN or undefined, for the validators to refuse. */
  readonly parse?: (text: string) => unknown;
}

export interface Variable extends VariableOptions {
  readonly property: string;
}

const registry = new Map<object, Variable[]>();

/** Binds a field of a settings class to an environment variable. Its class-validator decorators say what is accepted. */
export function FromVariable(options: VariableOptions): PropertyDecorator {
  return (prototype, property) => {
    const variables = registry.get(prototype) ?? [];
    variables.push({ ...options, property: String(property) });
    registry.set(prototype, variables);
  };
}

/** The variables of a settings class in the order of their declaration, those of the class that it extends first. */
export function variablesOf(settings: { readonly prototype: object }): readonly Variable[] {
  const variables: Variable[] = [];
  for (let prototype: unknown = settings.prototype; prototype instanceof Object;) {
    variables.unshift(...(registry.get(prototype) ?? []));
    prototype = Object.getPrototypeOf(prototype);
  }
  return variables;
}
