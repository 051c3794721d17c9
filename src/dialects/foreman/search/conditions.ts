import { QueryNotSupported } from '../foreman.refusals.js';
import { withoutOuterSpace } from '../white-space.js';
import type { SearchField, SearchFields } from './fields.js';
import type { Comparator, SearchTree } from './grammar.js';
import { parseStretch, type Stretch } from './times.js';

/** An SQL condition with named parameters. */
export interface Condition {
  sql: string;
  parameters: Record<string, unknown>;
}

// `SQL_OPERATORS`:
// https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_builder.rb
const SQL_OPERATORS = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;
// A number outside 64 bits is refused; the limit was decided here.
const MIN_INTEGER = -(2n ** 63n);
const GREATEST_INTEGER = 2n ** 63n - 1n;

/**
 * Translates a search into an SQL condition; undefined if it has none. Values become parameters, and all
 * other text comes from the fields: no part of the search becomes part of the SQL. It follows
 * https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_builder.rb
 *
 * @throws {QueryNotSupported} for an unknown field, and for a value or an operator that a field does not
 *   have.
 */
export function conditionOf(tree: SearchTree, fields: SearchFields, now = new Date()): Condition | undefined {
  const translation = new Translation(fields, now);
  const sql = translation.of(tree);
  return sql === undefined ? undefined : { sql, parameters: translation.parameters };
}

class Translation {
  readonly parameters: Record<string, unknown> = {};
  private count = 0;

  constructor(
    private readonly fields: SearchFields,
    private readonly now: Date,
  ) {}

  of(tree: SearchTree): string | undefined {
    switch (tree.kind) {
      case 'and':
      case 'or':
        return joined(
          tree.nodes.map((node) => this.of(node)),
          tree.kind,
        );
      case 'not':
        // NULL counts as false before it is negated: `PostgreSQLAdapter#to_not_sql`.
        return `NOT COALESCE(${this.of(tree.node) ?? 'TRUE'}, FALSE)`;
      case 'word':
        return this.ofFreeText('like', tree.value);
      case 'comparison':
        if (tree.field === null) return this.ofFreeText(tree.comparator, tree.value);
        return this.comparison(this.field(tree.field), tree.comparator, tree.value);
      case 'membership':
        return this.membership(this.field(tree.field), tree.membership, tree.values);
      case 'presence':
        return `${this.field(tree.field).sql} IS ${tree.isPresent ? 'NOT NULL' : 'NULL'}`;
      case 'anything':
        return undefined;
    }
  }

  private field(name: string): SearchField {
    const field = this.fields.find(name);
    // `to_single_field_sql` and `to_null_sql`.
    if (!field) throw new QueryNotSupported(`Field '${name}' not recognized for searching!`);
    return field;
  }

  private ofFreeText(comparator: Comparator, value: string): string | undefined {
    return joined(
      this.fields.ofFreeText.map((field) => this.comparison(field, comparator, value)),
      'or',
    );
  }

  private comparison(field: SearchField, comparator: Comparator, value: string): string {
    switch (field.type) {
      case 'string':
        return this.ofText(field, comparator, value);
      case 'integer': {
        const integer = this.parameter(integerOf(field, value));
        return `${field.sql} ${sqlOperator(field, comparator)} CAST(${integer} AS bigint)`;
      }
      case 'datetime': {
        const stretch = parseStretch(value, this.now);
        sqlOperator(field, comparator);
        if (!stretch) throw invalidValue(field, value);
        return this.ofTime(field, comparator, stretch);
      }
      case 'boolean':
        return ofBoolean(field, comparator, value);
    }
  }

  /** `like` and `unlike` ignore case (`PostgreSQLAdapter#sql_operator`), the others do not. */
  private ofText({ sql, collated = sql }: SearchField, comparator: Comparator, value: string): string {
    switch (comparator) {
      case 'like':
        return `${sql} ILIKE ${this.parameter(patternOf(value))}`;
      case 'unlike':
        return `${sql} NOT ILIKE ${this.parameter(patternOf(value))}`;
      default:
        return `${collated} ${SQL_OPERATORS[comparator]} CAST(${this.parameter(value)} AS text)`;
    }
  }

  /**
   * `datetime_test`: a date means the whole day, so that `>` means after its end, and `=` any
   * time of it. Unlike there, a value that is no time is refused (decided here).
   */
  private ofTime({ sql }: SearchField, comparator: Comparator, { start, end, isDayLong }: Stretch): string {
    const at = (time: Date): string => `CAST(${this.parameter(time.toISOString())} AS timestamptz)`;
    switch (comparator) {
      case 'eq':
        return `(${sql} >= ${at(start)} AND ${sql} < ${at(end)})`;
      case 'ne':
        return `NOT (${sql} >= ${at(start)} AND ${sql} < ${at(end)})`;
      case 'gt':
        return isDayLong ? `${sql} >= ${at(end)}` : `${sql} > ${at(start)}`;
      case 'lte':
        return isDayLong ? `${sql} < ${at(end)}` : `${sql} <= ${at(start)}`;
      default:
        return `${sql} ${comparator === 'lt' ? '<' : '>='} ${at(start)}`;
    }
  }

  private membership(field: SearchField, membership: 'in' | 'notin', values: string[]): string {
    const { type, sql, collated = sql } = field;
    const test = membership === 'in' ? '= ANY' : '<> ALL';
    switch (type) {
      case 'string':
        return `${collated} ${test} (CAST(${this.parameter(values.map(withoutOuterSpace))} AS text[]))`;
      case 'integer': {
        const integers = values.map((value) => integerOf(field, value));
        return `${sql} ${test} (CAST(${this.parameter(integers)} AS bigint[]))`;
      }
      default:
        throw unsupported(field, membership);
    }
  }

  private parameter(value: unknown): string {
    const name = `search${this.count}`;
    this.count += 1;
    this.parameters[name] = value;
    return `:${name}`;
  }
}

function joined(conditions: (string | undefined)[], operator: 'and' | 'or'): string | undefined {
  const asked = conditions.filter((condition) => condition !== undefined);
  if (asked.length < 2) return asked[0];
  return `(${asked.join(operator === 'and' ? ' AND ' : ' OR ')})`;
}

/**
 * A pattern for ILIKE: `*` and `%` stand for anything, and a value without them may be anywhere in the text
 * (`preprocess_parameters` in query_builder.rb). That `_` and `\` are ordinary characters was decided here.
 */
function patternOf(value: string): string {
  const literal = value.replace(/[\\_]/g, '\\$&');
  return /[*%]/.test(literal) ? literal.replace(/[*%]+/g, '%') : `%${literal}%`;
}

function integerOf(field: SearchField, value: string): string {
  // The text of `validate_value`. More than 20 digits, leading zeros aside, do not fit into 64 bits.
  const isInteger = /^-?\d+$/.test(value) && value.replace(/^-?0*/, '').length <= 20;
  const integer = isInteger ? BigInt(value) : undefined;
  if (integer === undefined || integer < MIN_INTEGER || integer > GREATEST_INTEGER) {
    throw invalidValue(field, value);
  }
  return integer.toString();
}

// `translate_value` and `set_test`, with their texts.
function ofBoolean(field: SearchField, comparator: Comparator, value: string): string {
  if (value !== 'true' && value !== 'false') {
    const text = `'${field.name}' should be one of 'true, false', but the query was '${value}'`;
    throw new QueryNotSupported(text);
  }
  if (comparator === 'like' || comparator === 'unlike') throw unsupported(field, comparator);
  if (comparator !== 'eq' && comparator !== 'ne') {
    throw new QueryNotSupported(`Operator '${comparator}' not supported for '${field.name}'`);
  }
  return (comparator === 'eq') === (value === 'true') ? field.sql : `NOT ${field.sql}`;
}

/** @throws {QueryNotSupported} for patterns, which only text fields have: `sql_operator`. */
function sqlOperator(field: SearchField, comparator: Comparator): string {
  if (comparator === 'like' || comparator === 'unlike') throw unsupported(field, comparator);
  return SQL_OPERATORS[comparator];
}

function unsupported({ type }: SearchField, operator: string): QueryNotSupported {
  return new QueryNotSupported(`the operator '${operator}' is not supported for field type '${type}'`);
}

function invalidValue({ name }: SearchField, value: string): QueryNotSupported {
  return new QueryNotSupported(`Value '${value}' is not valid for field '${name}'`);
}
