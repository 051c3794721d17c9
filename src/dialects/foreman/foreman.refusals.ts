import { type FieldProblem, Refusal } from '../../refusal.js';

/** No such user, or none that the caller or the context may see: to Foreman a fault of the reference, not of the path. */
export class UserNotFound extends Refusal {
  constructor(readonly id: string) {
    super('notFound', { message: 'No such user' });
  }
}

/** A named organization or location that is not there, or not the caller's. */
export class ContextNotFound extends Refusal {
  constructor(
    readonly context: 'Organization' | 'Location',
    readonly id: string,
  ) {
    super('notFound', { message: `No such ${context.toLowerCase()}` });
  }
}

/** The path names a record that is not there. */
export class ResourceNotFound extends Refusal {
  constructor(
    readonly resource: 'personal_access_token' | 'user',
    readonly id: string,
  ) {
    super('notFound', { message: `No such ${resource}` });
  }
}

/** A search or an order that cannot be run. */
export class QueryNotSupported extends Refusal {
  constructor(message: string) {
    super('invalid', { message });
  }
}

/** A parameter of a list with a value that makes no sense. */
export class InvalidParameter extends Refusal {
  constructor(
    readonly parameter: string,
    message: string,
  ) {
    super('invalid', { message });
  }
}

/** What is wrong with a field of a record, in Foreman's words. */
export interface Problem {
  field: 'name' | 'expires_at';
  message: string;
}

/** A record that cannot be saved: per field what is wrong, in Foreman's words. */
export class InvalidRecord extends Refusal {
  constructor(problems: Problem[]) {
    const fields = problems.map(({ field, message }): FieldProblem => ({
      path: [field],
      rule: 'record',
      message,
    }));
    super('invalid', { message: 'The record is not valid', fields });
  }
}
