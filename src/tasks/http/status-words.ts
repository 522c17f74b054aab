import { Validate, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { STATUS_WORDS, statusesMeantBy, type TaskStatus } from '../task-state.js';

const ONE_OF = `one of ${STATUS_WORDS.join(', ')}`;
const SEVERAL = `${ONE_OF}, or several of them with commas`;

const isStatusWord = (word: string): boolean => statusesMeantBy(word.trim()) !== undefined;

@ValidatorConstraint({ name: 'statusWord' })
class StatusWord implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && isStatusWord(value);
  }

  defaultMessage(): string {
    return `must be ${ONE_OF}`;
  }
}

@ValidatorConstraint({ name: 'statusWords' })
class StatusWords implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && value.split(',').every(isStatusWord);
  }

  defaultMessage(): string {
    return `must be ${SEVERAL}`;
  }
}

/** A list of statuses: old words too, any letter case. */
export const IsListOfStatuses = (): PropertyDecorator =>
  Validate(StatusWord, { each: true, context: { allowed: ONE_OF } });

/** Statuses in one text, with commas: old words too, any letter case. */
export const IsTextOfStatuses = (): PropertyDecorator => Validate(StatusWords, { context: { allowed: SEVERAL } });

/** The statuses that words mean which have been checked, each once. */
export const statusesOf = (words: readonly string[]): TaskStatus[] => [
  ...new Set(words.flatMap((word) => statusesMeantBy(word.trim()) ?? [])),
];
