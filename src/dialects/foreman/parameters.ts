import type { PipeTransform } from '@nestjs/common';
import { isGoodText } from '../../http/validation/text.js';
import { InvalidParameter } from './foreman.refusals.js';

/**
 * Parameters by name. `a[b]=c` is a record, `a[]=b` a list, and of a name that is sent twice the last value
 * counts: `_normalize_params` in https://github.com/rack/rack/blob/main/lib/rack/query_parser.rb
 */
export type Parameters = Readonly<Record<string, unknown>>;

/** Turns the flat query that Fastify reads into parameters. */
export class RailsQuery implements PipeTransform {
  transform(query: Readonly<Record<string, string | string[]>>): Parameters {
    const parameters: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const [key, sent] of Object.entries(query)) {
      const value = Array.isArray(sent) ? sent.at(-1) : sent;
      const [, outer, inner, deeper] = /^([^[]+)\[([^\]]*)\](.*)$/s.exec(key) ?? [];
      if (outer === undefined) parameters[key] = value;
      else if (!inner) parameters[outer] = [sent].flat();
      else nest(parameters, outer, inner, deeper ? { [deeper]: value } : value);
    }
    return parameters;
  }
}

function nest(parameters: Record<string, unknown>, outer: string, inner: string, value: unknown): void {
  if (!isRecord(parameters[outer])) parameters[outer] = Object.create(null);
  (parameters[outer] as Record<string, unknown>)[inner] = value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Query and body together; of a name that is in both, the query's value counts: `parameters` in
 * https://github.com/rails/rails/blob/main/actionpack/lib/action_dispatch/http/parameters.rb
 */
export function merged(query: Parameters, body: unknown): Parameters {
  return { ...(isRecord(body) ? body : {}), ...query };
}

/**
 * The fields of a record to be made: those below its own name or, if that name is absent, the fields of the
 * body itself (`_wrapper_enabled?`):
 * https://github.com/rails/rails/blob/main/actionpack/lib/action_controller/metal/params_wrapper.rb
 * A value below the name that is no record has no fields.
 */
export function recordFields(name: string, query: Parameters, body: unknown): Parameters {
  const all = merged(query, body);
  const fields = name in all ? all[name] : body;
  return isRecord(fields) ? fields : {};
}

/**
 * A parameter that is a single text; undefined if it is absent.
 *
 * @throws {InvalidParameter} for a list or a record in its place, and for text that cannot be stored.
 */
export function textOf(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && isGoodText(value)) return value;
  throw new InvalidParameter(name, `Invalid parameter '${name}': Must be a String`);
}
