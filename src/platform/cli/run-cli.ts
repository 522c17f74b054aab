import type { Type } from '@nestjs/common';
import { CommandFactory } from 'nest-commander';
import { failureOf } from './report-failure.js';

/** Runs the command line of this process. Sets the exit code; ends when the command has ended. */
export async function runCli(rootModule: Type, version: string): Promise<void> {
  // Whoever read it has seen enough (`| head`): no failure, and no reason to break off what the command does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  await CommandFactory.run(rootModule, {
    cliName: 'photosafe',
    version,
    logger: ['error', 'warn', 'fatal'],
    // Without these two an error thrown by a command or by the parser of an option would end with exit code 0.
    errorHandler: (error) => {
      throw error; // to serviceErrorHandler: commander wants a handler that does not return
    },
    serviceErrorHandler: (error) => {
      const { text, exitCode } = failureOf(error);
      process.stderr.write(text);
      process.exitCode = exitCode;
    },
    outputConfiguration: {
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'photosafe: '));
      },
    },
  });
}
