import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UsePipes } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { Idempotent } from '../../auth/idempotent.decorator.js';
import { Principal } from '../../auth/principal.js';
import { type Exemption, RequireScopes, RequireScopesUnless } from '../../auth/require-scopes.decorator.js';
import { newestFirst, readPage } from '../../database/page.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { Refusal } from '../../refusal.js';
import { checkedCidrs } from '../../tokens/allowed-cidrs.js';
import type { TokenCriteria } from '../../tokens/token-criteria.js';
import type { Token } from '../../tokens/token.entity.js';
import { type ChangeOptions, TokenService } from '../../tokens/token.service.js';
import { decodeId, encodeId, PANTHER } from './panther.dialect.js';
import {
  ApiToken,
  ApiTokenPage,
  ApiTokenWithValue,
  ListApiTokensQuery,
  ModifyApiToken,
  Nothing,
  PantherError,
} from './panther.dto.js';

// Which operation needs which: "Required permissions" on
// https://docs.panther.com/panther-developer-workflows/api/rest/api-tokens
const READ = 'OrganizationAPITokenRead';
const MODIFY = 'OrganizationAPITokenModify';
// "Note: if self is provided, the current api token will be returned" (the parameter `id`, same page).
const SELF = 'self';

const ID = {
  name: 'id',
  description: 'The id of a token, or `self` for the calling token.',
  example: 'po_5mQyR1bXnZ0uTq3Lw9Kd2a',
};

/**
 * Whether the token that calls is the one that the path names, by `self` or by its own id. Get and rotate
 * then need no permission; the vendor's MCP server reads its own permissions this way: `permissions.py` in
 * https://github.com/panther-labs/mcp-panther/tree/main/src/mcp_panther/panther_mcp_core/tools
 * That the same holds for delete was decided here.
 */
const isSelf: Exemption = (request: FastifyRequest, { token }: Principal) => {
  const { id } = request.params as { id: string };
  return id === SELF || (token !== null && id === encodeId(token.id));
};

/** Panther's API tokens: tokens of an organization, limited to permissions and CIDR blocks. */
@ApiTags('api-tokens')
@ApiRefusals(PantherError, { 400: 'bad_request', 401: 'unauthorized', 403: 'forbidden' })
// Base URLs come with and without `/v1`: `TestNewRESTClient_StripsGraphQLSuffix` in
// https://github.com/panther-labs/terraform-provider-panther/blob/main/internal/client/rest_test.go
@Controller(['api-tokens', 'v1/api-tokens'])
@UsePipes(validationPipe('refused'))
export class PantherController {
  constructor(private readonly tokens: TokenService) {}

  @Get()
  @RequireScopes(PANTHER, READ)
  @ApiOperation({
    operationId: 'listApiTokens',
    summary: "Lists the organization's API tokens, newest first",
    description: 'Paginated: pass `next` as the `cursor` of the next call; it is omitted on the last page.',
  })
  async list(
    @Caller() caller: Principal,
    @Query() { cursor, limit }: ListApiTokensQuery,
  ): Promise<ApiTokenPage> {
    // Published is `next` in the answer (`ListResp`), but no parameter to send it back. `cursor` and `limit`
    // are the names that the other lists of the document have; they and the order were decided here.
    const query = this.tokens.query(
      administers(caller) ? visibleTo(caller) : { ...visibleTo(caller), ownerId: caller.user.id },
    );
    const { rows, nextCursor } = await readPage(query, newestFirst('token.createdAt'), cursor, limit);
    return new ApiTokenPage(rows, nextCursor);
  }

  @Post()
  @HttpCode(200) // Not 201: 200 is the only success that is published for create.
  @Idempotent()
  @RequireScopes(PANTHER, MODIFY)
  @ApiOperation({
    operationId: 'createApiToken',
    summary: 'Creates an API token and returns its value once',
    description:
      'A token cannot hold permissions that the caller lacks, nor work from addresses that the caller does not.',
  })
  async create(@Caller() caller: Principal, @Body() body: ModifyApiToken): Promise<ApiTokenWithValue> {
    const owner = { id: caller.user.id };
    const spec = { dialect: PANTHER, owner, name: body.name, scopes: body.permissions };
    const { token, value } = await this.tokens.issue({ ...spec, allowedCidrs: blocksOf(body) }, caller);
    return new ApiTokenWithValue(token, value);
  }

  @Get(':id')
  @RequireScopesUnless(isSelf, PANTHER, READ)
  @ApiOperation({
    operationId: 'getApiToken',
    summary: 'Gets an API token; `self` is the calling token',
    description: 'A token needs no permission to read itself.',
  })
  @ApiParam(ID)
  @ApiRefusals(PantherError, { 404: 'not_found' })
  async get(@Caller() caller: Principal, @Param('id') id: string): Promise<ApiToken> {
    const token = await this.tokens.find(criteria(caller, id));
    assertReach(caller, READ, token);
    if (!token) throw new Refusal('notFound');
    return new ApiToken(token);
  }

  @Post(':id') // Update is a POST that takes the schema of create, `ModifyAPIToken`, and so replaces it all.
  @HttpCode(200)
  @RequireScopes(PANTHER, MODIFY)
  @ApiOperation({
    operationId: 'updateApiToken',
    summary: 'Replaces name, permissions and CIDR blocks',
    description:
      'Omitted fields are reset: without `allowedCIDRBlocks` the token has no address restriction.',
  })
  @ApiParam(ID)
  @ApiRefusals(PantherError, { 404: 'not_found' })
  async update(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: ModifyApiToken,
  ): Promise<ApiToken> {
    const changes = { name: body.name, scopes: body.permissions, allowedCidrs: blocksOf(body) };
    return new ApiToken(await this.tokens.update(criteria(caller, id), changes, caller, withinReach(caller)));
  }

  @Delete(':id')
  @HttpCode(204) // As published: no body.
  @RequireScopesUnless(isSelf, PANTHER, MODIFY)
  @ApiOperation({
    operationId: 'deleteApiToken',
    summary: 'Revokes an API token',
    description: 'The token stops working at once. A token needs no permission to revoke itself.',
  })
  @ApiParam(ID)
  @ApiRefusals(PantherError, { 404: 'not_found' })
  async delete(@Caller() caller: Principal, @Param('id') id: string): Promise<void> {
    await this.tokens.revoke(criteria(caller, id), caller, withinReach(caller));
  }

  @Post(':id/rotate')
  @HttpCode(200)
  @Idempotent()
  @RequireScopesUnless(isSelf, PANTHER, MODIFY)
  @ApiOperation({
    operationId: 'rotateApiToken',
    summary: 'Rotates an API token: replaces its value at once',
    description:
      'Id, name, permissions, blocks and expiry stay. A token needs no permission to rotate itself.',
  })
  @ApiParam(ID)
  // No body is published; that an empty object is taken as well was decided here.
  @ApiBody({ type: Nothing, required: false })
  @ApiRefusals(PantherError, {
    404: 'not_found',
    409: 'conflict: the token was rotated by another call at the same time',
  })
  async rotate(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() _: Nothing,
  ): Promise<ApiTokenWithValue> {
    const where = criteria(caller, id);
    const isOwn = caller.token !== null && where.id === caller.token.id;
    const presented = isOwn && caller.presentedValue !== null ? { presented: caller.presentedValue } : {};
    // Panther's rotation has no grace.
    const options = { ...withinReach(caller), ...presented, graceSeconds: 0 };
    const { token, value } = await this.tokens.rotate(where, caller, options);
    return new ApiTokenWithValue(token, value);
  }
}

/**
 * The token that an id of the path names.
 *
 * @throws {Refusal} invalid for `self` without a token (decided here); notFound for what is no id.
 */
function criteria(caller: Principal, id: string): TokenCriteria & { id: string } {
  if (id === SELF && !caller.token) throw new Refusal('invalid', { message: '`self` needs a call by token' });
  const uuid = id === SELF ? caller.token?.id : decodeId(id);
  if (uuid === undefined) throw new Refusal('notFound');
  return { ...visibleTo(caller), id: uuid };
}

/** What a member changes: the own tokens, and the one that calls. */
function withinReach(caller: Principal): ChangeOptions {
  return { assertVisible: ({ token }) => assertReach(caller, MODIFY, token) };
}

/** @throws {Refusal} forbidden for a member who names the token of another user. */
function assertReach(caller: Principal, permission: string, token: Token | undefined): void {
  if (!token || administers(caller) || token.id === caller.token?.id) return;
  if (token.ownerId === caller.user.id) return;
  const message = `${permission} permission required for the token of another user`;
  throw new Refusal('forbidden', { reason: 'role', message, missing: [permission] });
}

/** Tokens belong to an organization; an administrator of all of them acts in their own (decided here). */
function visibleTo(caller: Principal): TokenCriteria {
  return { dialect: PANTHER, organizationId: caller.user.organizationId, isUnrevoked: true };
}

function administers(caller: Principal): boolean {
  return caller.administers(caller.user.organizationId);
}

function blocksOf({ allowedCIDRBlocks = [] }: ModifyApiToken): string[] {
  return checkedCidrs(allowedCIDRBlocks, (message) =>
    Refusal.ofField(['allowedCIDRBlocks'], 'cidr', `allowedCIDRBlocks: ${message}`),
  );
}
