import { Injectable, Logger } from '@nestjs/common';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { DataSource, In } from 'typeorm';
import { violatedUniqueIndex } from '../database/errors.js';
import { HashingService } from '../hashing/hashing.service.js';
import { makeKeyPair } from './key-pair.js';
import { SigningKey } from './signing-key.entity.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long a key signs. */
export const SIGNS_FOR_MS = 90 * DAY_MS;
/** How long a key is published before it signs: registries read the certificates only at their start. */
export const PUBLISHED_AHEAD_MS = 14 * DAY_MS;
/** How long a key is published after its last signature: well over what a token lives, plus {@link RECALL_MS}. */
export const PUBLISHED_AFTER_MS = HOUR_MS;
/** How old the memory of the keys grows before it is read anew. */
const RECALL_MS = MINUTE_MS;

/** A key that this server can sign with. */
export interface Signer {
  keyId: string;
  privateKey: KeyObject;
}

interface KnownKey {
  row: SigningKey;
  /** Undefined where the key that sealed it has left the ring: then it is published, and does not sign. */
  privateKey: KeyObject | undefined;
}

/**
 * The keys that sign JWTs. All replicas read them from the database. A new one is published long before
 * it signs, an old one until everything it signed has expired, so that rotation refuses nobody.
 */
@Injectable()
export class SigningKeys {
  private readonly logger = new Logger(SigningKeys.name);
  /** The newest first. */
  private known: KnownKey[] = [];
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly hashing: HashingService,
  ) {}

  /** The key that signs now: of those that may, the newest. */
  async signer(): Promise<Signer> {
    await this.recall();
    const able = this.known.flatMap(({ row, privateKey }) => (privateKey ? [{ row, privateKey }] : []));
    const now = Date.now();
    // Where none of them may sign yet, one that is published comes closest.
    const chosen = able.find(({ row }) => row.signsFrom.getTime() <= now) ?? able.at(-1);
    if (!chosen) throw new Error('No signing key can be opened');
    return { keyId: chosen.row.keyId, privateKey: chosen.privateKey };
  }

  /** The certificates, in PEM, of all keys that a token may be signed with, or soon will be. */
  async certificates(): Promise<string[]> {
    await this.recall();
    return this.known.map(({ row }) => row.certificate);
  }

  /** Reads the keys anew; where none of them can sign, one is made that does at once. */
  refresh(): Promise<void> {
    this.reading ??= this.readOrMake().finally(() => (this.reading = undefined));
    return this.reading;
  }

  /** Makes the next key where it is time, and forgets those whose tokens have all expired. */
  async rotate(now = new Date()): Promise<void> {
    await this.refresh();
    const [newest] = this.known;
    const end = (newest?.row.signsFrom.getTime() ?? 0) + SIGNS_FOR_MS;
    if (end - PUBLISHED_AHEAD_MS <= now.getTime()) {
      await this.make(now, new Date(now.getTime() + PUBLISHED_AHEAD_MS));
      await this.read();
    }
    await this.forgetRetired();
  }

  /**
   * Nobody waits for keys that are older than a minute while they are read anew, nor is refused where they cannot be: a
   * new key is published for days before anything depends on it.
   */
  private async recall(): Promise<void> {
    if (this.known.length === 0) await this.refresh();
    else if (performance.now() - this.readAt > RECALL_MS) void this.refreshQuietly();
  }

  private refreshQuietly(): Promise<void> {
    return this.refresh().catch((error: unknown) =>
      this.logger.warn(`Signing keys not read anew: ${String(error)}`),
    );
  }

  private async readOrMake(): Promise<void> {
    await this.read();
    if (this.known.some(({ privateKey }) => privateKey !== undefined)) return;
    const now = new Date();
    await this.make(now, now);
    await this.read();
  }

  private async read(): Promise<void> {
    const rows = await this.dataSource.manager.find(SigningKey, { order: { generation: 'DESC' } });
    this.known = await Promise.all(rows.map(async (row) => ({ row, privateKey: await this.open(row) })));
    this.readAt = performance.now();
  }

  private async open(row: SigningKey): Promise<KeyObject | undefined> {
    const { keyId, sealedPrivateKey } = row;
    const pem = this.hashing.open(sealedPrivateKey, keyId);
    if (pem === undefined) {
      this.logger.warn(
        `The signing key ${keyId} cannot be opened: the key that sealed it is not in TOKEN_KEYS`,
      );
      return undefined;
    }
    if (!this.hashing.isSealedCurrently(sealedPrivateKey)) {
      const sealed = this.hashing.seal(pem, keyId);
      await this.dataSource.manager.update(SigningKey, { keyId }, { sealedPrivateKey: sealed });
    }
    return createPrivateKey(pem);
  }

  private async make(createdAt: Date, signsFrom: Date): Promise<void> {
    const [newest] = this.known;
    const { privateKey, ...pair } = await makeKeyPair(createdAt);
    try {
      await this.dataSource.manager.insert(SigningKey, {
        ...pair,
        generation: (newest?.row.generation ?? 0) + 1,
        sealedPrivateKey: this.hashing.seal(privateKey, pair.keyId),
        createdAt,
        signsFrom,
      });
    } catch (error) {
      // Another replica was first; its key is as good.
      if (violatedUniqueIndex(error) === undefined) throw error;
    }
  }

  private async forgetRetired(): Promise<void> {
    const isRetired = (_: KnownKey, index: number): boolean => {
      const successor = this.known[index - 1];
      return successor !== undefined && successor.row.signsFrom.getTime() + PUBLISHED_AFTER_MS <= Date.now();
    };
    const retired = this.known.filter(isRetired);
    if (retired.length === 0) return;
    const keyId = In(retired.map(({ row }) => row.keyId));
    await this.dataSource.manager.delete(SigningKey, { keyId });
    this.known = this.known.filter((key) => !retired.includes(key));
  }
}
