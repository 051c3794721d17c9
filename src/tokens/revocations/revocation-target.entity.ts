import { Entity, PrimaryColumn } from 'typeorm';

/** A token that a job is still to revoke. They are found when it begins: what is made afterwards is none of its. */
@Entity('revocation_targets')
export class RevocationTarget {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'revocation_targets_pkey' })
  jobId!: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'revocation_targets_pkey' })
  tokenUuid!: string;
}
