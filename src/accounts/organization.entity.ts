import { Column, Entity, Generated, Index, PrimaryColumn } from 'typeorm';

/** A group of users that administers its own tokens. Names are unique without regard to case. */
@Entity('organizations')
@Index('organizations_name', { synchronize: false })
export class Organization {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'organizations_pkey' })
  id!: string;

  @Column('integer')
  @Generated('increment')
  numericId!: number;

  @Column('text')
  name!: string;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;
}
