import { buildMessage, ValidateBy, type ValidationOptions } from 'class-validator';

/**
 * The field is a list without repetitions. In place of class-validator's rule of this name, whose time grows
 * with the square of the list, and which runs although another rule has found the list too long; the name
 * also makes the documents say `uniqueItems`.
 */
export function ArrayUnique(options?: ValidationOptions): PropertyDecorator {
  const validator = {
    validate: (value: unknown): boolean => Array.isArray(value) && new Set(value).size === value.length,
    defaultMessage: buildMessage((each) => `${each}All $property's elements must be unique`, options),
  };
  return ValidateBy({ name: 'arrayUnique', validator }, options);
}
