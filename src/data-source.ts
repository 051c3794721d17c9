import { DataSource } from 'typeorm';
import { CreateAccounts1795300000000 } from '../migrations/1795300000000-create-accounts.js';
import { CreateTokens1795300000001 } from '../migrations/1795300000001-create-tokens.js';
import { CreateAuditEvents1795300000002 } from '../migrations/1795300000002-create-audit-events.js';
import { IndexTokenNames1795300000003 } from '../migrations/1795300000003-index-token-names.js';
import { CreateSigningKeys1795300000010 } from '../migrations/1795300000010-create-signing-keys.js';
import { AuthorityAtTheWrite1795300000011 } from '../migrations/1795300000011-authority-at-the-write.js';
import { LastUses1795300000012 } from '../migrations/1795300000012-last-uses.js';
import { DeletedOwners1795300000013 } from '../migrations/1795300000013-deleted-owners.js';
import { Policies1795300000014 } from '../migrations/1795300000014-policies.js';
import { Jobs1795300000015 } from '../migrations/1795300000015-jobs.js';
import { Rotation1795300000016 } from '../migrations/1795300000016-rotation.js';
import { IdempotencyRecords1795300000017 } from '../migrations/1795300000017-idempotency-records.js';
import { RevocationTargets1795300000022 } from '../migrations/1795300000022-revocation-targets.js';
import { TextIndexPending1795300000023 } from '../migrations/1795300000023-text-index-pending.js';
import { AuditSeals1795300000019 } from '../migrations/1795300000019-audit-seals.js';
import { Notices1795300000020 } from '../migrations/1795300000020-notices.js';
import { Imports1795300000021 } from '../migrations/1795300000021-imports.js';
import { Inventory1795300000018 } from '../migrations/1795300000018-inventory.js';
import { Sessions1795300000024 } from '../migrations/1795300000024-sessions.js';
import { Identities1795300000025 } from '../migrations/1795300000025-identities.js';
import { Provisioning1795300000026 } from '../migrations/1795300000026-provisioning.js';
import { Group, GroupMember } from './accounts/group.entity.js';
import { Identity } from './accounts/identity.entity.js';
import { Location } from './accounts/location.entity.js';
import { Organization } from './accounts/organization.entity.js';
import { User } from './accounts/user.entity.js';
import { AuditEvent } from './audit/audit-event.entity.js';
import { AuditKey } from './audit/chain/audit-key.entity.js';
import { AuditSeal } from './audit/chain/audit-seal.entity.js';
import { AuditSealing } from './audit/chain/audit-sealing.entity.js';
import { Session } from './auth/sessions/session.entity.js';
import { databaseUrlOf } from './config.js';
import { type Database, postgresServer } from './database/database.js';
import { SnakeNaming } from './database/snake-naming.js';
import { KnownNetworks } from './decisions/known-networks.entity.js';
import { Job } from './jobs/job.entity.js';
import { NoticeChannel } from './notices/notice-channel.entity.js';
import { NoticeDelivery } from './notices/notice-delivery.entity.js';
import { SigningKey } from './signing/signing-key.entity.js';
import { ExpiryNoticeProgress } from './tokens/expiry/expiry-notice-progress.entity.js';
import { IdempotencyRecord } from './tokens/idempotency/idempotency-record.entity.js';
import { ImportedForm } from './tokens/imports/imported-form.entity.js';
import { ImportedValue } from './tokens/imports/imported-value.entity.js';
import { Policy } from './tokens/policy/policy.entity.js';
import { RevocationTarget } from './tokens/revocations/revocation-target.entity.js';
import { RetiredValue } from './tokens/rotation/retired-value.entity.js';
import { LastUse, Token } from './tokens/token.entity.js';

/** The one list of entities and migrations, on a given store. The schema comes from migrations alone. */
export function createDataSource(database: Database): DataSource {
  return new DataSource({
    type: 'postgres',
    ...database.connection,
    entities: [
      Organization,
      Location,
      User,
      Identity,
      Group,
      GroupMember,
      Token,
      LastUse,
      Policy,
      RetiredValue,
      RevocationTarget,
      IdempotencyRecord,
      ImportedValue,
      ImportedForm,
      Job,
      NoticeChannel,
      NoticeDelivery,
      ExpiryNoticeProgress,
      KnownNetworks,
      AuditEvent,
      AuditSeal,
      AuditKey,
      AuditSealing,
      SigningKey,
      Session,
    ],
    migrations: [
      CreateAccounts1795300000000,
      CreateTokens1795300000001,
      CreateAuditEvents1795300000002,
      IndexTokenNames1795300000003,
      CreateSigningKeys1795300000010,
      AuthorityAtTheWrite1795300000011,
      LastUses1795300000012,
      DeletedOwners1795300000013,
      Policies1795300000014,
      Jobs1795300000015,
      Rotation1795300000016,
      IdempotencyRecords1795300000017,
      RevocationTargets1795300000022,
      TextIndexPending1795300000023,
      AuditSeals1795300000019,
      Notices1795300000020,
      Imports1795300000021,
      Inventory1795300000018,
      Sessions1795300000024,
      Identities1795300000025,
      Provisioning1795300000026,
    ],
    migrationsTransactionMode: 'each',
    namingStrategy: new SnakeNaming(),
    synchronize: false,
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    logging: false,
  });
}

/** For the TypeORM command line, which reads `DATABASE_URL` as the server does. */
export default createDataSource(postgresServer(databaseUrlOf() ?? 'postgres://localhost/patois'));
