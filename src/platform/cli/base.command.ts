import { CommandRunner, Option } from 'nest-commander';
import { closest } from './closest.js';
import { UsageError } from './errors.js';

type CommanderCommand = Parameters<CommandRunner['setCommand']>[0];

/** What every command takes. */
export interface BaseOptions {
  readonly json?: boolean;
}

/**
 * A command. Its file imports nothing heavy: what it needs is loaded by `await import(…)` when it runs, so that
 * `--help` stays quick. Class names of commands are unique in the program: that is how their options are found.
 */
export abstract class BaseCommand extends CommandRunner {
  /** commander would exit the process for a wrong option, and drop surplus arguments without a word. */
  override setCommand(command: CommanderCommand): this {
    return super.setCommand(command.exitOverride().allowExcessArguments(false));
  }

  @Option({ flags: '--json', description: 'print one JSON document on standard output, and nothing else there' })
  parseJson(): boolean {
    return true;
  }
}

/** A command that only holds others: `photosafe token`. */
export abstract class GroupCommand extends CommandRunner {
  override setCommand(command: CommanderCommand): this {
    return super.setCommand(command.exitOverride());
  }

  run([word]: string[]): Promise<void> {
    if (word === undefined) {
      this.command.outputHelp({ error: true }); // not help(): that would end the process
      process.exitCode = 2;
      return Promise.resolve();
    }
    const name = fullName(this.command);
    const suggestion = closest(
      word,
      this.command.commands.map((command) => command.name()),
    );
    const advice = suggestion === undefined ? `See ${name} --help.` : `Did you mean ${name} ${suggestion}?`;
    return Promise.reject(new UsageError(`${name} has no command "${word}"`, advice));
  }
}

const fullName = (command: CommanderCommand): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
