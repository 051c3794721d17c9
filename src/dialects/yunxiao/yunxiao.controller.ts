import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AccountsService } from '../../accounts/accounts.service.js';
import type { UserReference } from '../../accounts/user-reference.js';
import type { User } from '../../accounts/user.entity.js';
import { Caller } from '../../auth/caller.decorator.js';
import { Idempotent } from '../../auth/idempotent.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { isUuid } from '../../database/uuid.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { listOrStream, portionsOf } from '../../http/streamed-list.js';
import { parseIso8601 } from '../../http/validation/date-time.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { Refusal } from '../../refusal.js';
import { TokenWalk } from '../../tokens/inventory/token-walk.js';
import { isTokenId } from '../../tokens/token-format.js';
import { TokenService } from '../../tokens/token.service.js';
import { YUNXIAO } from './yunxiao.dialect.js';
import {
  CreatedPersonalAccessToken,
  CreatePersonalAccessToken,
  CurrentUser,
  Deleted,
  ListedOrganization,
  ListedPersonalAccessToken,
  ListOrganizationsQuery,
  ListPersonalAccessTokensQuery,
  YunxiaoError,
} from './yunxiao.dto.js';

// The pages give them as "user, read-only", "user, read-write" and "organization, read-only".
const READ = 'base_user_read';
const READ_WRITE = 'base_user_read_write';
const READ_ORGANIZATIONS = 'base_organization_read';

/**
 * The pagination headers of ListOrganizations. `x-next-page` is published too, but there is no second page.
 * https://help.aliyun.com/zh/yunxiao/developer-reference/listorganizations
 */
const PAGE_HEADERS = Object.fromEntries(
  Object.entries({
    'x-page': 'Number of this page.',
    'x-per-page': 'Number of items per page.',
    'x-total': 'Number of items on all pages.',
    'x-total-pages': 'Number of pages.',
    'x-prev-page': 'Number of the previous page, if there is one.',
  }).map(([name, description]) => [name, { description, schema: { type: 'integer' as const } }]),
);

/**
 * Yunxiao's personal access tokens, and what its clients ask for besides. An enterprise administrator lists
 * and deletes the tokens of every user of the organization.
 */
@ApiTags('PersonalAccessTokens')
@ApiRefusals(YunxiaoError, { 401: 'Unauthorized, InvalidTokenError or ExpiredTokenError' })
@Controller('oapi/v1/platform')
export class YunxiaoController {
  constructor(
    private readonly tokens: TokenService,
    private readonly walk: TokenWalk,
    private readonly accounts: AccountsService,
  ) {}

  @Get('user')
  @RequireScopes(YUNXIAO)
  @ApiOperation({
    operationId: 'GetUserByToken',
    summary: 'Gets the owner of the calling token',
    description: 'Any valid credential is accepted. Keys without a value are omitted.',
  })
  @ApiRefusals(YunxiaoError, { 403: 'Forbidden: outside the CIDR blocks of the token' })
  user(@Caller() caller: Principal): CurrentUser {
    // The page asks for "user, read-only"; here any valid token will do (docs/dialects/yunxiao.md):
    // https://help.aliyun.com/zh/lingma/developer-reference/getuserbytoken
    // Left out, never null: the client's `CurrentUserSchema` has optional fields that are not nullable:
    // https://github.com/aliyun/alibabacloud-devops-mcp-server/blob/master/operations/organization/types.ts
    return new CurrentUser(caller.user);
  }

  // https://help.aliyun.com/zh/yunxiao/developer-reference/listorganizations (standard edition)
  @Get('organizations')
  @RequireScopes(YUNXIAO, READ_ORGANIZATIONS)
  @ApiOperation({
    operationId: 'ListOrganizations',
    summary: 'Lists the organizations of the caller (exactly one)',
    description: 'The pagination is returned in headers.',
  })
  @ApiOkResponse({ type: [ListedOrganization], headers: PAGE_HEADERS })
  @ApiRefusals(YunxiaoError, { 400: 'BadRequest', 403: 'Forbidden' })
  organizations(
    @Caller() { user: { organization } }: Principal,
    @Query(validationPipe('dropped')) { page, perPage }: ListOrganizationsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): ListedOrganization[] {
    // Standard edition: the organizations that the user of the token has joined; `userId` has no effect.
    const headers = { 'x-page': page, 'x-per-page': perPage, 'x-total': 1, 'x-total-pages': 1 };
    reply.headers(page === 1 ? headers : { ...headers, 'x-prev-page': page - 1 });
    return page === 1 ? [new ListedOrganization(organization)] : [];
  }

  @Get('users/admin/personalAccessTokens')
  @RequireScopes(YUNXIAO, READ)
  @ApiOperation({
    operationId: 'ListUserPersonalAccessTokens',
    summary: 'Lists every live token of a user, whichever API issued it, newest first',
    description: 'For administrators of the organization of the user. Values are not returned.',
  })
  @ApiRefusals(YunxiaoError, { 400: 'BadRequest', 403: 'Forbidden, or the user is not in the organization' })
  @ApiOkResponse({ type: [ListedPersonalAccessToken] })
  async list(
    @Caller() caller: Principal,
    @Query(validationPipe('dropped')) { userId }: ListPersonalAccessTokensQuery,
  ): Promise<ListedPersonalAccessToken[] | StreamableFile> {
    const user = await this.userOf(caller, userId);
    // A bare array in snake_case, though create and its body are in camelCase: ListUserPersonalAccessTokens.
    // That it holds every token that is neither revoked nor expired, of every API, and its order were decided
    // here.
    const portions = this.walk.portions(
      { ownerId: user.id, isUnrevoked: true, expiresAfter: new Date() },
      {
        columns: ['description', 'expires_at', 'name', 'scopes', 'token_id', 'owner_id'],
        showsUse: false,
        ties: 'numeric_id',
        direction: 'DESC',
      },
    );
    return listOrStream(portionsOf(portions, ListedPersonalAccessToken), ['[', ']'], (tokens) => tokens);
  }

  @Post('users/admin/personalAccessTokens')
  @HttpCode(200) // Not 201: see docs/dialects/yunxiao.md; the page names no status.
  @Idempotent()
  @RequireScopes(YUNXIAO, READ_WRITE)
  @ApiOperation({
    operationId: 'CreateUserPersonalAccessToken',
    summary: 'Creates a token for a user and returns its value once',
    description:
      'For administrators of the organization of the user. A token cannot hold permissions that the calling token lacks.',
  })
  @ApiRefusals(YunxiaoError, { 400: 'BadRequest', 403: 'Forbidden, or the user is not in the organization' })
  async create(
    @Caller() caller: Principal,
    @Body(validationPipe('refused')) body: CreatePersonalAccessToken,
  ): Promise<CreatedPersonalAccessToken> {
    assertAdministrator(caller);
    // `expiredAt` is required, and published with a zone and milliseconds; the other forms of ISO 8601 were
    // decided here, and so were the limits of the body but one: a name has "up to 64 characters"
    // (https://help.aliyun.com/en/lingma/obtain-personal-access-token).
    const expiresAt = parseIso8601(body.expiredAt) as Date;
    const { name, description = null, permissions: scopes } = body;
    const spec = { dialect: YUNXIAO, owner: referenceOf(body.userId), name, description, scopes, expiresAt };
    const { token, value } = await this.tokens.issue(spec, caller, {
      assertVisible: (owner) => assertInOrganization(caller, owner),
    });
    return new CreatedPersonalAccessToken(token, value, token.expiresAt ?? expiresAt);
  }

  @Delete('users/admin/personalAccessTokens/:tokenId')
  @RequireScopes(YUNXIAO, READ_WRITE)
  @ApiOperation({
    operationId: 'DeleteUserPersonalAccessToken',
    summary: 'Revokes a token of a user, whichever API issued it',
    description: 'For administrators of the organization of the user. The token stops working at once.',
  })
  @ApiParam({ name: 'tokenId', description: 'A `token_id` from the list.', example: 'pt-4fJ0aB9cK2dE' })
  @ApiRefusals(YunxiaoError, { 403: 'Forbidden', 404: 'NotFound' })
  async delete(@Caller() caller: Principal, @Param('tokenId') tokenId: string): Promise<Deleted> {
    assertAdministrator(caller);
    if (!isTokenId(tokenId)) throw new Refusal('notFound');
    await this.tokens.revoke({ tokenId, isUnrevoked: true }, caller, {
      assertVisible: ({ token }) => {
        if (!token || !caller.administers(token.organizationId)) throw new Refusal('notFound');
      },
    });
    return new Deleted(); // `{}`, as DeleteUserPersonalAccessToken publishes it.
  }

  /**
   * The user whose tokens an enterprise administrator asks for.
   *
   * @throws {Refusal} forbidden.
   */
  private async userOf(caller: Principal, userId: string): Promise<User> {
    assertAdministrator(caller);
    const user = await this.accounts.findUser(userId);
    assertInOrganization(caller, user);
    return user;
  }
}

/** A user by uuid; any other text is nobody's. */
function referenceOf(userId: string): UserReference {
  return isUuid(userId) ? { id: userId } : {};
}

/**
 * @throws {Refusal} forbidden, with one text for a user of another organization and for one who does not exist, so that
 *   nobody can find out who exists (decided here).
 */
function assertInOrganization(caller: Principal, user: User | null | undefined): asserts user is User {
  if (user && caller.administers(user.organizationId)) return;
  const message = 'The user is not in the current organization';
  throw new Refusal('forbidden', { reason: 'outsideOrganization', message });
}

function assertAdministrator(caller: Principal): void {
  if (caller.administers(caller.user.organizationId)) return;
  throw new Refusal('forbidden', { reason: 'role', message: 'Only an enterprise administrator may do this' });
}
