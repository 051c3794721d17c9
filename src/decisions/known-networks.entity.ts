import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The networks that a token was used from; there is a row only for tokens that were used from a second one. */
@Entity('known_networks')
export class KnownNetworks {
  /** The token's uuid. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'known_networks_pkey' })
  tokenUuid!: string;

  /** `192.0.2.0/24`, `2001:db8::/48`; the last to come is the last. */
  @Column('text', { array: true })
  networks!: string[];

  /** When a notice last told of one. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  noticedAt!: Date | null;
}
