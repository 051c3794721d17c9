import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { Idempotent } from '../../auth/idempotent.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { CONFIG, type Config } from '../../config.js';
import { isUuid } from '../../database/uuid.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { listOrStream, portionsOf } from '../../http/streamed-list.js';
import { Refusal } from '../../refusal.js';
import { TokenWalk } from '../../tokens/inventory/token-walk.js';
import type { TokenCriteria } from '../../tokens/token-criteria.js';
import { TokenService } from '../../tokens/token.service.js';
import { readExpiring, readNewAppToken } from './quay.body.js';
import { QUAY } from './quay.dialect.js';
import {
  QuayError,
  AppToken,
  AppTokensView,
  AppTokenView,
  CreatedAppTokenView,
  NewAppToken,
} from './quay.dto.js';
import { SUPER_USER, USER_ADMIN } from './quay.scopes.js';

const DAY_MS = 86_400_000;
const TOKEN_UUID = { name: 'token_uuid', description: 'The `uuid` of the app specific token.' };

/**
 * "Expiring soon" is a tenth of the configured lifetime, and of this one where none is configured:
 * `_DEFAULT_TOKEN_EXPIRATION_WINDOW`,
 * https://github.com/quay/quay/blob/master/endpoints/api/appspecifictokens.py
 */
const ASSUMED_LIFETIME_SECONDS = 4 * 7 * 86_400;

const EXPIRING = {
  name: 'expiring',
  required: false,
  type: Boolean,
  description: 'Returns only tokens that expire soon: within a tenth of the configured lifetime.',
};

/** Quay's app-specific tokens: a user's own tokens for tools that cannot log in as a person does. */
@ApiTags('appspecifictokens')
@ApiRefusals(QuayError, { 401: 'invalid_token', 403: 'insufficient_scope' })
@Controller('api/v1')
export class QuayController {
  constructor(
    private readonly tokens: TokenService,
    private readonly walk: TokenWalk,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('user/apptoken')
  @HttpCode(201)
  @Idempotent()
  @RequireScopes(QUAY, USER_ADMIN)
  @ApiOperation({
    operationId: 'createAppToken',
    summary: 'Creates an app-specific token of the caller',
    description: 'The response contains the value. Titles need not be unique.',
  })
  @ApiResponse({ status: 201, type: CreatedAppTokenView, description: 'Created' })
  @ApiResponse({ status: 200, type: CreatedAppTokenView, description: 'With QUAY_FIDELITY=deployed' })
  @ApiRefusals(QuayError, { 400: 'invalid_request', 415: 'unsupported_media_type' })
  async create(
    @Caller() caller: Principal,
    @Body({ transform: readNewAppToken }) { title, expiration }: NewAppToken,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedAppTokenView> {
    const owner = { id: caller.user.id };
    const spec = { dialect: QUAY, owner, name: title, scopes: [USER_ADMIN] };
    const { token, value } = await this.tokens.issue(
      {
        ...spec,
        expiresAt: expiration,
        defaultExpiresAt: this.endOfLifetime(),
        keepsSealedValue: this.showsSecretsAgain,
      },
      caller,
      { alias: 'create_app_specific_token' },
    );
    // The reference says 201, and `swagger_route_data` in endpoints/api/discovery.py says so of every POST.
    // But `AppTokens.post` returns no status, which makes it 200, and the web front end accepts nothing else:
    // https://github.com/quay/quay/blob/master/web/src/resources/UserResource.ts
    if (this.showsSecretsAgain) reply.status(200);
    return new CreatedAppTokenView(token, value);
  }

  @Get('user/apptoken')
  @RequireScopes(QUAY, USER_ADMIN)
  @ApiOperation({
    operationId: 'listAppTokens',
    summary: 'Lists the app-specific tokens of the caller',
    description:
      'Returns all tokens, oldest first, without pagination. Expired tokens are listed for one more day.',
  })
  @ApiQuery(EXPIRING)
  @ApiOkResponse({ type: AppTokensView })
  list(
    @Caller() caller: Principal,
    @Query('expiring', { transform: readExpiring }) onlyExpiring: boolean | null,
  ): Promise<AppTokensView | StreamableFile> {
    return this.listed({ ownerId: caller.user.id }, onlyExpiring);
  }

  @Get('superuser/apptokens')
  @RequireScopes(QUAY, SUPER_USER)
  @ApiOperation({
    operationId: 'listAllAppTokens',
    summary: 'Lists the app-specific tokens of all users; for administrators',
    description: 'Returns all tokens, oldest first, without their values and without pagination.',
  })
  @ApiQuery(EXPIRING)
  @ApiOkResponse({ type: AppTokensView })
  listAll(
    @Caller() caller: Principal,
    @Query('expiring', { transform: readExpiring }) onlyExpiring: boolean | null,
  ): Promise<AppTokensView | StreamableFile> {
    // The scope alone is not enough: `SuperUserAppTokens.get`,
    // https://github.com/quay/quay/blob/master/endpoints/api/superuser.py
    if (!caller.isAdministrator) throw new Refusal('forbidden', { reason: 'role' });
    return this.listed({}, onlyExpiring);
  }

  @Get('user/apptoken/:token_uuid')
  @ApiParam(TOKEN_UUID)
  @RequireScopes(QUAY, USER_ADMIN)
  @ApiOperation({
    operationId: 'getAppToken',
    summary: 'Gets an app-specific token of the caller',
    description: 'Without its value, unless the server is set to `QUAY_FIDELITY=deployed`.',
  })
  @ApiRefusals(QuayError, { 404: 'not_found' })
  async get(@Caller() caller: Principal, @Param('token_uuid') uuid: string): Promise<AppTokenView> {
    // Expired ones are 404 here, though the list has them and revoke takes them: `get_token_by_uuid`,
    // https://github.com/quay/quay/blob/master/data/model/appspecifictoken.py
    const where = { ...ownToken(caller, uuid), expiresAfter: new Date() };
    const token = await this.tokens.find(where);
    if (!token) throw new Refusal('notFound');
    // `AppToken.get` shows the secret again (`include_code=True`); the reference describes no body at all.
    if (!this.showsSecretsAgain) return new AppTokenView(token);
    const code = await this.tokens.reveal(where, caller);
    return new AppTokenView(token, code ?? null);
  }

  @Delete('user/apptoken/:token_uuid')
  @ApiParam(TOKEN_UUID)
  @HttpCode(204)
  @RequireScopes(QUAY, USER_ADMIN)
  @ApiOperation({
    operationId: 'revokeAppToken',
    summary: 'Revokes an app-specific token of the caller',
    description: 'The token stops working at once. An expired token can be revoked for one more day.',
  })
  @ApiRefusals(QuayError, { 404: 'not_found' })
  async revoke(@Caller() caller: Principal, @Param('token_uuid') uuid: string): Promise<void> {
    // The names of both audit events are those of `log_action` in endpoints/api/appspecifictokens.py.
    await this.tokens.revoke(ownToken(caller, uuid), caller, { alias: 'revoke_app_specific_token' });
  }

  /**
   * Quay has no pages either, and no order (`list_tokens`, data/model/appspecifictoken.py): the order by creation was
   * decided here.
   */
  private listed(
    whose: TokenCriteria,
    onlyExpiring: boolean | null,
  ): Promise<AppTokensView | StreamableFile> {
    const when = onlyExpiring ? this.expiringSoon() : { expiresAfter: endOfPurged() };
    const portions = this.walk.portions(
      { ...VISIBLE, ...whose, ...when },
      { columns: ['name', 'expires_at'], showsUse: true, ties: 'id', direction: 'ASC' },
    );
    const around = ['{"tokens":[', `],"only_expiring":${JSON.stringify(onlyExpiring)}}`] as const;
    return listOrStream(
      portionsOf(portions, AppToken),
      around,
      (tokens) => new AppTokensView(tokens, onlyExpiring),
    );
  }

  private expiringSoon(): TokenCriteria {
    const { quayTokenLifetimeSeconds: lifetime = ASSUMED_LIFETIME_SECONDS } = this.config;
    const now = new Date();
    // `math.ceil(total_seconds * 0.1)` in `AppTokens.get`, endpoints/api/appspecifictokens.py.
    const soon = new Date(now.getTime() + Math.ceil(lifetime / 10) * 1000);
    return { expiresAfter: now, expiresUntil: soon };
  }

  private endOfLifetime(): Date | null {
    const { quayTokenLifetimeSeconds: lifetime } = this.config;
    return lifetime === undefined ? null : new Date(Date.now() + lifetime * 1000);
  }

  private get showsSecretsAgain(): boolean {
    return this.config.quayFidelity === 'deployed';
  }
}

const VISIBLE = { dialect: QUAY, isUnrevoked: true } as const;

/**
 * The token of the caller with that UUID, also an expired one that is not purged yet: `revoke_token_by_uuid`
 * does not look at the expiry (data/model/appspecifictoken.py).
 *
 * @throws {Refusal} notFound for a text that is no UUID.
 */
function ownToken(caller: Principal, uuid: string): TokenCriteria {
  // The column `uuid` is text (data/database.py, `AppSpecificAuthToken`): a UUID in upper case matches none.
  if (!isUuid(uuid) || uuid !== uuid.toLowerCase()) throw new Refusal('notFound');
  return { ...VISIBLE, id: uuid, ownerId: caller.user.id, expiresAfter: endOfPurged() };
}

/**
 * An expired token is purged after one day, `EXPIRED_APP_SPECIFIC_TOKEN_GC` in
 * https://github.com/quay/quay/blob/master/workers/expiredappspecifictokenworker.py
 * Here that means that it is no longer shown and cannot be revoked. Its row stays, without a sealed copy of
 * its value, like the rows of every other dialect, for the administrators' lists of all tokens.
 */
function endOfPurged(): Date {
  return new Date(Date.now() - DAY_MS);
}
