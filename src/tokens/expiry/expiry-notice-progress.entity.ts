import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Up to which token, in the order of their expiries, the owners have been told; a row for each stage. */
@Entity('expiry_notice_progress')
export class ExpiryNoticeProgress {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'expiry_notice_progress_pkey' })
  stage!: string;

  /** The expiry of the last token that is done. */
  @Column('timestamp with time zone', { precision: 3 })
  expiresAt!: Date;

  /** Of the tokens with that expiry the last one. */
  @Column('uuid')
  tokenUuid!: string;
}
