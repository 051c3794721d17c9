import { Body, Controller, Delete, Get, Inject, Param, Patch, Post, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { decodeObjectId } from '../../accounts/object-id.js';
import { Caller } from '../../auth/caller.decorator.js';
import { Idempotent } from '../../auth/idempotent.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { CONFIG, type Config } from '../../config.js';
import { publicUrlOf } from '../../http/public-url.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { parseRfc3339 } from '../../http/validation/date-time.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { Refusal } from '../../refusal.js';
import type { TokenCriteria } from '../../tokens/token-criteria.js';
import { type TokenChanges, TokenService } from '../../tokens/token.service.js';
import { LOSANT } from './losant.dialect.js';
import {
  ApiToken,
  ApiTokenFields,
  ApiTokenPatch,
  ApiTokenPost,
  ApiTokens,
  ApiTokenWithValue,
  ListApiTokensQuery,
  LosantError,
  Success,
} from './losant.dto.js';
import { OPERATIONS } from './losant.scopes.js';
import { readPage } from './token-list.js';

// The pattern `^[A-Fa-f\d]{24}$` of every id in
// https://github.com/Losant/losant-rest-js/blob/v4.2.0/lib/schemas/apiToken.json
const ID = {
  name: 'apiTokenId',
  description: 'The id of a token: 24 hexadecimal digits.',
  example: '6921f0aa3f0e2a365d9e4b0e',
};

/** Losant's API tokens of a user: a caller sees and changes only their own. */
@ApiTags('userApiTokens')
@ApiRefusals(LosantError, { 400: 'Validation', 401: 'Unauthorized', 403: 'Forbidden' })
@Controller('me/tokens')
export class LosantController {
  constructor(
    private readonly tokens: TokenService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @RequireScopes(LOSANT, ...OPERATIONS['userApiTokens.get'])
  @ApiOperation({
    operationId: 'UserApiTokens_get',
    summary: 'Returns the API tokens of the user',
    description:
      'Returns one page of the tokens of the caller, counted from 0; can be filtered by a glob and sorted by any field.',
  })
  async list(
    @Caller() caller: Principal,
    @Query(validationPipe('dropped')) query: ListApiTokensQuery,
    @Req() request: FastifyRequest,
  ): Promise<ApiTokens> {
    const [tokens, totalCount] = await readPage(this.tokens.query(ownTokens(caller)), query);
    // The client sends `_links=true` with every call: lib/api/userApiTokens.js of losant-rest. The form of
    // the links is in docs/dialects/losant.md.
    const self = query._links === 'true' ? addressOf(request, this.config) : undefined;
    return new ApiTokens(tokens, totalCount, caller.user, query, self);
  }

  @Post()
  @Idempotent()
  @RequireScopes(LOSANT, ...OPERATIONS['userApiTokens.post'])
  @ApiOperation({
    operationId: 'UserApiTokens_post',
    summary: 'Creates an API token and returns its value once',
    description: 'For the caller. A token cannot hold scopes that the calling token does not cover.',
  })
  async post(
    @Caller() caller: Principal,
    @Body(validationPipe('refused')) body: ApiTokenPost,
  ): Promise<ApiTokenWithValue> {
    const { name, description = null, expirationDate, status, scope } = body;
    const { token, value } = await this.tokens.issue(
      {
        dialect: LOSANT,
        owner: { id: caller.user.id },
        name,
        description,
        scopes: scope,
        inactive: status === 'inactive',
        expiresAt: expirationDate ? parseRfc3339(expirationDate) : undefined,
        dialectFields: rolesOf(body),
      },
      caller,
    );
    return new ApiTokenWithValue(token, caller.user, value);
  }

  @Get(':apiTokenId')
  @RequireScopes(LOSANT, ...OPERATIONS['userApiToken.get'])
  @ApiOperation({
    operationId: 'UserApiToken_get',
    summary: 'Retrieves an API token',
    description: 'Returns one of the tokens of the caller.',
  })
  @ApiParam(ID)
  @ApiRefusals(LosantError, { 404: 'NotFound' })
  async get(@Caller() caller: Principal, @Param('apiTokenId') id: string): Promise<ApiToken> {
    const token = await this.tokens.find(ownToken(caller, id));
    if (!token) throw new Refusal('notFound');
    return new ApiToken(token, caller.user);
  }

  @Patch(':apiTokenId')
  @RequireScopes(LOSANT, ...OPERATIONS['userApiToken.patch'])
  @ApiOperation({
    operationId: 'UserApiToken_patch',
    summary: 'Changes name, description, status or roles of an API token',
    description: 'Omitted keys keep their values. Scopes, expiry and value cannot be changed.',
  })
  @ApiParam(ID)
  @ApiRefusals(LosantError, { 404: 'NotFound' })
  async patch(
    @Caller() caller: Principal,
    @Param('apiTokenId') id: string,
    @Body(validationPipe('refused')) body: ApiTokenPatch,
  ): Promise<ApiToken> {
    const changes = changesOf(body);
    if (Object.keys(changes).length === 0) return this.get(caller, id);
    return new ApiToken(await this.tokens.update(ownToken(caller, id), changes, caller), caller.user);
  }

  @Delete(':apiTokenId')
  @RequireScopes(LOSANT, ...OPERATIONS['userApiToken.delete'])
  @ApiOperation({
    operationId: 'UserApiToken_delete',
    summary: 'Deletes an API token permanently',
    description: 'The token stops working at once. A request body is ignored.',
  })
  @ApiParam(ID)
  @ApiRefusals(LosantError, { 404: 'NotFound' })
  async delete(@Caller() caller: Principal, @Param('apiTokenId') id: string): Promise<Success> {
    await this.tokens.revoke(ownToken(caller, id), caller);
    // 200 with a body, not 204: "Success" on the page of the operation, lib/schemas/success.json. The client
    // sends a body `{}` with DELETE, which is ignored (`internals.delete`):
    // https://github.com/Losant/losant-rest-js/blob/v2.8.1/lib/api/userApiToken.js
    return new Success();
  }
}

/**
 * The address of this request as the client knows this server. The client puts its `url` and the path
 * together as they are, so that a `url` with a slash at its end gives `//me/tokens` (`internals.request`):
 * https://github.com/Losant/losant-rest-js/blob/v2.8.1/lib/api/index.js
 */
function addressOf(request: FastifyRequest, config: Config): string {
  return publicUrlOf(request, config) + request.url.replace(/^\/+/, '/');
}

function ownTokens(caller: Principal): TokenCriteria {
  return { dialect: LOSANT, ownerId: caller.user.id, isUnrevoked: true };
}

/** @throws {Refusal} notFound for a text that is no id: 404 for it was decided here. */
function ownToken(caller: Principal, id: string): TokenCriteria {
  const range = decodeObjectId(id);
  if (!range) throw new Refusal('notFound');
  const firstMoment = range.createdAtSeconds * 1000;
  return {
    ...ownTokens(caller),
    idBetween: [range.uuidFrom, range.uuidTo],
    createdBetween: [new Date(firstMoment), new Date(firstMoment + 999)],
  };
}

/** The changes that a body asks for; nothing for `{}`. */
function changesOf(body: ApiTokenPatch): TokenChanges {
  const { name, description, status } = body;
  const roles = rolesOf(body);
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(status === undefined ? {} : { inactive: status === 'inactive' }),
    ...(Object.keys(roles).length === 0 ? {} : { dialectFields: roles }),
  };
}

/** Stored and given back, without effect here. */
function rolesOf({ defaultRole, orgRoles }: ApiTokenFields): Record<string, unknown> {
  return {
    ...(defaultRole === undefined ? {} : { defaultRole }),
    ...(orgRoles === undefined ? {} : { orgRoles }),
  };
}
