import { Column, Entity, Generated, Index, PrimaryColumn } from 'typeorm';

/** A place that users belong to, beside their organization. Names are unique without regard to case. */
@Entity('locations')
@Index('locations_name', { synchronize: false })
export class Location {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'locations_pkey' })
  id!: string;

  @Column('integer')
  @Generated('increment')
  numericId!: number;

  @Column('text')
  name!: string;

  @Column('timestamp with time zone', { precision: 3 })
  createdAt!: Date;
}
