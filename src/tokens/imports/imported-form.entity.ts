import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ImportedKind } from './imported-value.entity.js';

/** A way in which some imported value is to be found. They are few: of a value all are tried. */
@Entity('imported_forms')
export class ImportedForm {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'imported_forms_pkey' })
  kind!: ImportedKind;

  /** Of an HMAC which key; of what is visible how many characters at the start and at the end. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'imported_forms_pkey' })
  detail!: string;

  /** The key of an HMAC. */
  @Column('text', { nullable: true, select: false })
  sealedKey!: string | null;
}
