import { type FieldProblem, Refusal } from '../../refusal.js';

/**
 * The user of the path does not exist, or is not visible to the caller or in the context. Foreman answers
 * 422, as for an association of a record that does not exist: `association_not_found` in
 * https://github.com/theforeman/foreman/blob/develop/app/controllers/api/base_controller.rb
 */
export class UserNotFound extends Refusal {
  constructor(readonly id: string) {
    super('notFound', { message: 'No such user' });
  }
}

/** The named organization or location does not exist, or is not the caller's. */
export class ContextNotFound extends Refusal {
  constructor(
    readonly context: 'Organization' | 'Location',
    readonly id: string,
  ) {
    super('notFound', { message: `No such ${context.toLowerCase()}` });
  }
}

/** The path names a record that does not exist. */
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

/** A parameter of a list with a value that is not allowed. */
export class InvalidParameter extends Refusal {
  constructor(
    readonly parameter: string,
    message: string,
  ) {
    super('invalid', { message });
  }
}

/** What is wrong with a field of a record, with the text that Foreman has for it. */
export interface Problem {
  field: 'name' | 'expires_at';
  message: string;
}

/** A record that cannot be saved, with what is wrong with each field. */
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
