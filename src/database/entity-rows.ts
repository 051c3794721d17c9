import type { DataSource, EntitySubscriberInterface } from 'typeorm';

/** A row as `row_to_json` gives it and `json_populate_recordset` takes it. */
export type JsonRow = Record<string, unknown>;

interface Field {
  column: string;
  /** Where it is in the entity: `['name']`, or `['createdBy', 'name']` for one of an embedded class. */
  path: [string] | [string, string];
  /** Of the embedded class. */
  make: (() => object) | undefined;
  isGenerated: boolean;
  isHidden: boolean;
  read: (value: unknown) => unknown;
  /** For JSON. */
  write: (value: unknown) => unknown;
  /** For the driver. */
  parameter: (value: unknown) => unknown;
}

type Conversions = Pick<Field, 'read' | 'write' | 'parameter'>;

/**
 * The columns of an entity, for statements that are written out: the entity says what they are, so that what is read and
 * written here is what TypeORM reads and writes.
 */
export class EntityRows<Entity extends object> {
  private known: Field[] | undefined;
  /** By alias, and whether hidden ones are among them: they are asked for with every statement. */
  private readonly lists = new Map<string, string>();
  private given: string[] | undefined;
  private byColumn: Map<string, Field> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly target: new () => Entity,
  ) {}

  /** `alias.id, alias.name, …`: all columns, or all but the hidden ones (`select: false`). */
  columns(alias: string, { hidden = false } = {}): string {
    const key = `${alias} ${hidden}`;
    const known = this.lists.get(key);
    if (known !== undefined) return known;
    const fields = hidden ? this.fields : this.fields.filter(({ isHidden }) => !isHidden);
    const list = fields.map(({ column }) => `${alias}.${column}`).join(', ');
    this.lists.set(key, list);
    return list;
  }

  /** The names of the columns that a new row is given: all that the database does not make itself. */
  get givenColumns(): readonly string[] {
    this.given ??= this.fields.filter(({ isGenerated }) => !isGenerated).map(({ column }) => column);
    return this.given;
  }

  /** An entity of a row, as it is now: what waits in memory to be written shows on it. */
  entityOf(row: JsonRow): Entity {
    const entity = this.keptOf(row);
    for (const subscriber of this.subscribers()) void subscriber.afterLoad?.(entity);
    return entity;
  }

  /** An entity of a row, as that has it; columns that the row lacks stay undefined. */
  keptOf(row: JsonRow): Entity {
    const entity = new this.target();
    for (const { column, path, make, read } of this.fields) {
      const value = row[column];
      if (value === undefined) continue;
      const [outer, inner] = path;
      const target = entity as Record<string, unknown>;
      if (inner === undefined) target[outer] = read(value);
      else ((target[outer] ??= make?.()) as Record<string, unknown>)[inner] = read(value);
    }
    return entity;
  }

  /** The row of an entity; what is undefined in it becomes NULL. */
  rowOf(entity: Entity): JsonRow {
    const row: JsonRow = {};
    for (const { column, path, write } of this.fields) row[column] = write(valueAt(entity, path));
    return row;
  }

  /** The values of some columns of an entity, as parameters of a statement. */
  parametersOf(entity: Entity, columns: readonly string[]): unknown[] {
    return columns.map((name) => {
      const { path, parameter } = this.field(name);
      return parameter(valueAt(entity, path));
    });
  }

  private field(name: string): Field {
    if (!this.byColumn) this.byColumn = new Map(this.fields.map((field) => [field.column, field]));
    const field = this.byColumn.get(name);
    if (!field) throw new Error(`No column ${name}`);
    return field;
  }

  /** A copy of an entity without what its hidden columns hold, and without its relations. */
  withoutHidden(entity: Entity): Entity {
    const copy = new this.target();
    for (const { path, isHidden } of this.fields) {
      const [outer] = path;
      if (!isHidden) (copy as JsonRow)[outer] = (entity as JsonRow)[outer];
    }
    return copy;
  }

  private get fields(): Field[] {
    this.known ??= this.dataSource
      .getMetadata(this.target)
      .columns.filter(({ isVirtual }) => !isVirtual)
      .map(
        ({ databaseName, propertyName, embeddedMetadata, isGenerated, isInsert, isSelect, type }): Field => ({
          column: databaseName,
          path: embeddedMetadata ? [embeddedMetadata.propertyName, propertyName] : [propertyName],
          make: embeddedMetadata && ((): object => embeddedMetadata.create() as object),
          isGenerated: isGenerated || !isInsert,
          isHidden: !isSelect,
          ...(CONVERSIONS.get(type as string) ?? SAME),
        }),
      );
    return this.known;
  }

  private subscribers(): EntitySubscriberInterface[] {
    return this.dataSource.subscribers.filter((one) => one.listenTo?.() === this.target);
  }
}

function valueAt(entity: object, [outer, inner]: Field['path']): unknown {
  const value = (entity as JsonRow)[outer];
  return inner === undefined ? value : (value as JsonRow | null | undefined)?.[inner];
}

function orNull(value: unknown): unknown {
  return value ?? null;
}

const SAME: Conversions = { read: (value) => value, write: orNull, parameter: orNull };
/** What JSON has no word for, by the type of the column. */
const CONVERSIONS = new Map<string, Conversions>([
  [
    'timestamp with time zone',
    {
      read: (value) => (value === null ? null : new Date(value as string)),
      write: orNull,
      parameter: orNull,
    },
  ],
  [
    'bytea',
    {
      // As text: `\\x` and two digits a byte.
      read: (value) => (value === null ? null : Buffer.from((value as string).slice(2), 'hex')),
      write: (value) => (value ? `\\x${(value as Buffer).toString('hex')}` : null),
      parameter: orNull,
    },
  ],
  [
    'jsonb',
    {
      read: (value) => value,
      write: orNull,
      // The driver would take a list for an array of PostgreSQL's.
      parameter: (value) => (value === null || value === undefined ? null : JSON.stringify(value)),
    },
  ],
]);
