export type FieldType = 'string' | 'integer' | 'datetime' | 'boolean';

/**
 * A field for searching and sorting, what a `scoped_search` line is in a Foreman model:
 * https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/definition.rb
 */
export interface SearchField {
  name: string;
  type: FieldType;
  /** The SQL expression of its value. */
  sql: string;
  /** For text: the same with the collation for comparing and sorting, if it is not the column's. */
  collated?: string;
  isNullable?: boolean;
  /** Whether words without a field are searched in it; in scoped_search all but `only_explicit` ones. */
  isFreeText?: boolean;
}

/** All fields of one kind of record. */
export class SearchFields {
  /** @param key the SQL expression that sorts rows with the same value, and all rows without an order. */
  constructor(
    readonly key: string,
    private readonly fields: readonly SearchField[],
  ) {}

  /** The field of that name; names are case-sensitive. */
  find(name: string): SearchField | undefined {
    return this.fields.find((field) => field.name === name);
  }

  get ofFreeText(): SearchField[] {
    return this.fields.filter(({ isFreeText }) => isFreeText);
  }
}
