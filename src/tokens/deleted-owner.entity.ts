import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Actor } from '../audit/audit.writer.js';

/**
 * A deleted user of whose tokens some are still to be marked as revoked. None of them works: the deletion alone ends them.
 */
@Entity('deleted_owners')
export class DeletedOwner {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'deleted_owners_pkey' })
  userId!: string;

  /** Who deleted the user, for the audit events. */
  @Column('jsonb')
  actor!: Actor;
}
