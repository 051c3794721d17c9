export type FieldType = 'string' | 'integer' | 'datetime' | 'boolean';

/** A field that can be searched and sorted by. */
export interface SearchField {
  name: string;
  type: FieldType;
  /** The expression that holds its value. */
  sql: string;
  /** For text: the same in the collation that it is compared and sorted by, where that is not the column's. */
  collated?: string;
  isNullable?: boolean;
  /** Whether words without a field are looked for in it. */
  isFreeText?: boolean;
}

/** All fields of one kind of record. */
export class SearchFields {
  /** @param key the expression that rows without another order are sorted by. */
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
