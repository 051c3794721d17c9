import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Ordinals that were given out, up to `through`, and whose events nobody has seen yet. */
export interface Gap {
  low: number;
  high: number;
  /** Once all transactions before this one (`pg_snapshot_xmax`) are over, none of them can turn up. */
  horizon: string;
  /** When it was noted (ms since 1970). */
  since: number;
}

/** How far the events are sealed that are older than seals, in the order of time and id. */
export interface OldEvents {
  after: { time: string; id: string } | null;
  isOver: boolean;
}

/** Up to which seal events were deleted, in the words of who did, signed. */
export interface Pruned {
  sequence: number;
  root: string;
  prunedAt: string;
  key: string;
  signature: string;
}

/** How far sealing is: one row, which whoever seals or prunes locks. */
@Entity('audit_sealing')
export class AuditSealing {
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'audit_sealing_pkey' })
  id!: number;

  /** Of the newest seal, as are the next three; 0 before the first. */
  @Column('integer')
  sequence!: number;

  @Column('text', { nullable: true })
  root!: string | null;

  @Column('bigint')
  totalEvents!: string;

  /** Up to which ordinal events were looked at. */
  @Column('bigint')
  through!: string;

  @Column('jsonb')
  gaps!: Gap[];

  /** Null before the first look. */
  @Column('jsonb', { nullable: true })
  oldEvents!: OldEvents | null;

  @Column('jsonb', { nullable: true })
  pruned!: Pruned | null;
}
