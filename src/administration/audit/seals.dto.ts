import type { AuditSeal as SealRow } from '../../audit/chain/audit-seal.entity.js';
import type { Leaf } from '../../audit/chain/leaves.js';
import type { PublicAuditKey } from '../../audit/audit-keys.js';

/** A seal over some audit events: the root of a Merkle tree, chained to the seal before and signed. */
export class AuditSeal {
  /**
   * 1, 2, 3, …
   * @example 42
   */
  sequence: number;

  /**
   * The uuid of the first event, in the order of the leaves.
   * @example '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10'
   */
  firstEvent: string;

  /**
   * The uuid of the last event.
   * @example '5d9e4b0e-9a55-4a1d-9c0c-6f3b3f0e2a36'
   */
  lastEvent: string;

  /**
   * How many events there are under the seal.
   * @example 17
   */
  events: number;

  /**
   * The root of the Merkle tree (RFC 9162, SHA-256) over the events, in hexadecimal. A leaf is an event as
   * `GET /patois/v1/audit-events` shows it, in canonical JSON (RFC 8785).
   * @example '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'
   */
  root: string;

  /**
   * The root of the seal before; null in the first.
   * @example 'fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9'
   */
  previousRoot: string | null;

  sealedAt: Date;

  /**
   * The `kid` of the key that signed, in `GET /patois/v1/audit-seals/keys`.
   * @example 'k1-9yV7ZpSvSgE'
   */
  key: string;

  /**
   * The Ed25519 signature (RFC 8032), in base64url, of all other members of the seal, in canonical JSON (RFC 8785).
   * @example 'q0rrkF5pYnP8W0S8ZlqOBBJpRpTSDJcGO0J5TKGwqRyqIYx2Ulns0AZZG1Bbm0A0rhRZp8xIkbXPPM-RVcYDAw'
   */
  signature: string;

  constructor(row: SealRow) {
    this.sequence = row.sequence;
    this.firstEvent = row.firstEvent;
    this.lastEvent = row.lastEvent;
    this.events = row.events;
    this.root = row.root;
    this.previousRoot = row.previousRoot;
    this.sealedAt = row.sealedAt;
    this.key = row.key;
    this.signature = row.signature;
  }
}

/** One page of seals, newest first. */
export class AuditSealPage {
  items: AuditSeal[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'c2VhbHMgNDI'
   */
  nextCursor: string | null;

  constructor(rows: SealRow[], nextCursor: string | undefined) {
    this.items = rows.map((row) => new AuditSeal(row));
    this.nextCursor = nextCursor ?? null;
  }
}

/** A leaf of the tree under a seal. */
export class AuditLeaf {
  /**
   * The uuid of the event.
   * @example '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10'
   */
  event: string;

  /**
   * SHA-256 of a zero byte and the event in canonical JSON, in hexadecimal.
   * @example '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7'
   */
  hash: string;

  constructor({ event, hash }: Leaf) {
    this.event = event;
    this.hash = hash.toString('hex');
  }
}

/** A seal with the leaves of its tree. */
export class AuditSealWithLeaves extends AuditSeal {
  /** In the order of the tree; null once the events are pruned. */
  leaves: AuditLeaf[] | null;

  constructor(row: SealRow, leaves: Leaf[] | null) {
    super(row);
    this.leaves = leaves && leaves.map((leaf) => new AuditLeaf(leaf));
  }
}

/** A public key that seals were signed with (RFC 8037). */
export class AuditJwk {
  /** @example 'OKP' */
  kty = 'OKP' as const;

  /** @example 'Ed25519' */
  crv = 'Ed25519' as const;

  /** @example '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' */
  x: string;

  /**
   * The name of the key in `TOKEN_KEYS`, and the beginning of its thumbprint (RFC 7638).
   * @example 'k1-9yV7ZpSvSgE'
   */
  kid: string;

  /** @example 'sig' */
  use = 'sig' as const;

  /** @example 'EdDSA' */
  alg = 'EdDSA' as const;

  constructor({ id, x }: PublicAuditKey) {
    this.kid = id;
    this.x = x;
  }
}

/** The public keys that seals are verified with (RFC 7517). */
export class AuditJwkSet {
  keys: AuditJwk[];

  constructor(keys: PublicAuditKey[]) {
    this.keys = keys.map((key) => new AuditJwk(key));
  }
}
