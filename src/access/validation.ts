import { type ValidationError, ValidationPipe } from '@nestjs/common';
import { type FieldProblem, Refusal } from '../tokens/refusal.js';

/**
 * Checks bodies and queries against their DTO class.
 *
 * @param unknownKeys whether a key that the class does not name is refused, or dropped.
 */
export function validated(unknownKeys: 'refused' | 'dropped'): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: unknownKeys === 'refused',
    exceptionFactory: (errors) => {
      const fields = errors.flatMap((error) => problemsOf(error, []));
      return new Refusal('invalid', { fields, message: fields[0]?.message ?? 'Invalid input' });
    },
  });
}

function problemsOf(error: ValidationError, parents: string[]): FieldProblem[] {
  const path = [...parents, error.property];
  const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({ path, rule, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => problemsOf(child, path))];
}
