import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { User } from '../../accounts/user.entity.js';
import { Caller, Needs } from '../../access/needs.js';
import { Principal } from '../../access/principal.js';
import { Refuses } from '../../access/refuses.js';
import { TokenService } from '../../tokens/token.service.js';
import { Refusal } from '../../tokens/refusal.js';
import { Directory } from './directory.js';
import { FOREMAN, scopeOf } from './foreman.dialect.js';
import {
  CreatedPersonalAccessToken,
  CreatePersonalAccessToken,
  ForemanContextNotFound,
  ForemanError,
  ForemanInvalidRecord,
  ForemanMalformedBody,
  ListQuery,
  PersonalAccessToken,
  PersonalAccessTokenList,
  RevokedPersonalAccessToken,
} from './foreman.dto.js';
import { ForemanHeaders } from './foreman-headers.interceptor.js';
import { InvalidRecord, ResourceNotFound } from './foreman.refusals.js';
import { frameOf, list, readListing } from './listing.js';
import { type NewToken, readNewToken } from './new-token.js';
import { merged, type Parameters, RailsQuery, recordFields } from './parameters.js';
import { grantableScopes, may } from './permissions.js';
import { numberOf, SHOWN_COLUMNS, tokenFields, tokensOf } from './token-records.js';

const VIEW = 'view_personal_access_tokens';
const CREATE = 'create_personal_access_tokens';
const REVOKE = 'revoke_personal_access_tokens';
const RECORD = 'personal_access_token';

const USER_ID = {
  name: 'user_id',
  type: String,
  description: 'ID of the user: the number, the number and `-anything`, or the login.',
  example: '5',
};
const ID = { name: 'id', type: String, description: 'The number of the token.', example: '50' };

const ID_OR_NAME = { oneOf: [{ type: 'integer' }, { type: 'string' }], example: 'Default' };
const LOCATION = {
  name: 'location_id',
  required: false,
  description: 'Scope by locations',
  schema: ID_OR_NAME,
};
const ORGANIZATION = {
  name: 'organization_id',
  required: false,
  description: 'Scope by organizations',
  schema: ID_OR_NAME,
};

/** A user's personal access tokens. On one's own, no permission of the user is needed. */
@ApiTags('personal_access_tokens')
@ApiParam(USER_ID)
@ApiQuery(ORGANIZATION)
@ApiQuery(LOCATION)
@Refuses(ForemanError, { 401: 'no or wrong credentials', 403: 'no permission, or a wrong address' })
@Refuses(ForemanError, { 422: 'no such user, or a context without the user' })
@Controller('api/users/:user_id/personal_access_tokens')
@UseInterceptors(ForemanHeaders)
export class PersonalAccessTokensController {
  constructor(
    private readonly tokens: TokenService,
    private readonly directory: Directory,
  ) {}

  @Get()
  @Needs(FOREMAN, scopeOf(VIEW))
  @ApiOperation({
    operationId: 'listPersonalAccessTokens',
    summary: 'List all Personal Access Tokens for a user',
    description:
      "Page by page, searched and sorted, revoked and expired ones included. One's own need no permission.",
  })
  @Refuses(ForemanError, { 400: 'a search or page that makes no sense' })
  @Refuses([ForemanContextNotFound, ForemanError], { 404: 'no such context, or a path that cannot be read' })
  async index(
    @Caller() caller: Principal,
    @Param('user_id') userId: string,
    @Query(RailsQuery) query: ListQuery,
  ): Promise<PersonalAccessTokenList> {
    const { owner, isOwn } = await this.directory.target(caller, userId, query, VIEW);
    const listing = readListing(query);
    const all = this.tokens.query().select(SHOWN_COLUMNS).where(tokensOf(owner));
    if (!isOwn && !may(caller, 'view_users')) all.andWhere('FALSE');
    const listed = await list(all, listing, tokenFields(owner));
    const permissions = { canCreate: isOwn || may(caller, CREATE), canEdit: isOwn || mayRevoke(caller) };
    const results = listed.rows.map((token) => new PersonalAccessToken(token, owner));
    return new PersonalAccessTokenList(frameOf(listing, listed, permissions), results);
  }

  @Post()
  @HttpCode(201)
  @Needs(FOREMAN, scopeOf(CREATE))
  @ApiOperation({
    operationId: 'createPersonalAccessToken',
    summary: 'Create a Personal Access Token for a user',
    description: 'The answer alone shows the value. The name must be new among the tokens of the user.',
  })
  @ApiBody({ type: CreatePersonalAccessToken })
  @Refuses([ForemanMalformedBody, ForemanError], { 400: 'a body or parameter that cannot be read' })
  @Refuses([ForemanContextNotFound, ForemanError], { 404: 'no such context, or a path that cannot be read' })
  @Refuses(ForemanError, { 415: 'a content type that is not JSON' })
  @Refuses([ForemanInvalidRecord, ForemanError], {
    422: 'an invalid record, no such user, or a context without the user',
  })
  async create(
    @Caller() caller: Principal,
    @Param('user_id') userId: string,
    @Query(RailsQuery) query: Parameters,
    @Body() body: unknown,
  ): Promise<CreatedPersonalAccessToken> {
    const { owner } = await this.directory.target(caller, userId, merged(query, body), CREATE);
    const asked = readNewToken(recordFields(RECORD, query, body));
    const { name, expiresAt } = await this.checked(asked, owner);
    const scopes = grantableScopes(caller);
    const spec = { dialect: FOREMAN, ownerId: owner.id, name, uniqueName: name, scopes, expiresAt };
    const { token, value } = await this.tokens.issue(spec, caller);
    return new CreatedPersonalAccessToken(token, owner, value);
  }

  @Get(':id')
  @Needs(FOREMAN, scopeOf(VIEW))
  @ApiOperation({
    operationId: 'showPersonalAccessToken',
    summary: 'Show a Personal Access Token for a user',
    description: 'Revoked and expired tokens are shown as well.',
  })
  @ApiParam(ID)
  @Refuses([ForemanError, ForemanContextNotFound], { 404: 'no such token of that user, or no such context' })
  async show(
    @Caller() caller: Principal,
    @Param('user_id') userId: string,
    @Param('id') id: string,
    @Query(RailsQuery) query: Parameters,
  ): Promise<PersonalAccessToken> {
    const { owner, isOwn } = await this.directory.target(caller, userId, query, VIEW);
    const isVisible = isOwn || may(caller, 'view_users');
    const token = isVisible ? await this.tokens.find({ ...tokensOf(owner), numericId: numberOf(id) }) : null;
    if (!token) throw new ResourceNotFound(RECORD, id);
    return new PersonalAccessToken(token, owner);
  }

  @Delete(':id')
  @Needs(FOREMAN, scopeOf(REVOKE))
  @ApiOperation({
    operationId: 'revokePersonalAccessToken',
    summary: 'Revoke a Personal Access Token for a user',
    description: 'Ends the token for good and answers its record. Revoking it again changes nothing.',
  })
  @ApiParam(ID)
  @Refuses([ForemanError, ForemanContextNotFound], { 404: 'no such token of that user, or no such context' })
  async destroy(
    @Caller() caller: Principal,
    @Param('user_id') userId: string,
    @Param('id') id: string,
    @Query(RailsQuery) query: Parameters,
  ): Promise<RevokedPersonalAccessToken> {
    const { owner, isOwn } = await this.directory.target(caller, userId, query, REVOKE);
    if (!isOwn && !mayRevoke(caller)) throw new ResourceNotFound(RECORD, id);
    const revoking = this.tokens.revoke({ ...tokensOf(owner), numericId: numberOf(id) }, caller);
    const token = await revoking.catch((problem: unknown) => {
      const isGone = problem instanceof Refusal && problem.kind === 'notFound';
      throw isGone ? new ResourceNotFound(RECORD, id) : problem;
    });
    return new RevokedPersonalAccessToken(token, owner);
  }

  /**
   * Whether a name is free is settled by the index when the token is stored; but an answer that refuses anything else
   * says that as well.
   *
   * @throws {InvalidRecord} with all that is wrong.
   */
  private async checked(asked: NewToken, owner: User): Promise<NewToken> {
    const { name, problems } = asked;
    const isNameGood = !problems.some(({ field }) => field === 'name');
    if (problems.length === 0) return asked;
    if (isNameGood && (await this.tokens.find({ ownerId: owner.id, uniqueName: name })))
      problems.unshift({ field: 'name', message: 'has already been taken' });
    throw new InvalidRecord(problems);
  }
}

function mayRevoke(caller: Principal): boolean {
  return may(caller, REVOKE) && may(caller, 'edit_users');
}
