import { type ArgumentMetadata, type ValidationError, ValidationPipe } from '@nestjs/common';
import { type FieldProblem, Refusal } from '../../refusal.js';

/**
 * Checks bodies and queries against their DTO class.
 *
 * @param unknownKeys whether a key that the class does not name is refused, or dropped.
 */
export function validationPipe(unknownKeys: 'refused' | 'dropped'): ValidationPipe {
  return new ObjectPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: unknownKeys === 'refused',
    exceptionFactory: (errors) => {
      const fields = errors.flatMap((error) => problemsOf(error, []));
      return new Refusal('invalid', { fields, message: fields[0]?.message ?? 'Invalid input' });
    },
  });
}

/** Nest takes null, and a list for a class that requires nothing, for an object without keys. */
class ObjectPipe extends ValidationPipe {
  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (metadata.type === 'body' && value !== undefined && !isObject) {
      throw Refusal.ofField([], 'isObject', 'The body must be a JSON object');
    }
    return super.transform(value, metadata);
  }
}

function problemsOf(error: ValidationError, parents: string[]): FieldProblem[] {
  const path = [...parents, error.property];
  const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({ path, rule, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => problemsOf(child, path))];
}
