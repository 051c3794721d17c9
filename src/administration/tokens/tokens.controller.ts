import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UsePipes } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { Token as TokenRow } from '../../tokens/token.entity.js';
import type { IssuedToken } from '../../tokens/token.service.js';
import {
  CreateToken,
  ListTokensQuery,
  RevokeTokenQuery,
  RotateToken,
  Token,
  TokenPage,
  TokenWithSecret,
  UpdateToken,
} from './tokens.dto.js';
import { TokenAdministrationService } from './tokens.service.js';

const READ = 'patois:tokens.read';
const WRITE = 'patois:tokens.write';

const TOKEN_ID = { name: 'tokenId', description: 'The token id.', example: 'pt-4fK2mZq81LxT' };

/** Tokens of every dialect: the own ones, and those of whom the caller administers. */
@ApiTags('tokens')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/tokens')
@UsePipes(validationPipe('refused'))
export class TokensController {
  constructor(
    private readonly tokens: TokenAdministrationService,
    private readonly registry: DialectRegistry,
  ) {}

  @Post()
  @HttpCode(201)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'createToken',
    summary: 'Makes a token; the answer alone shows its value',
    description: 'The answer alone shows the value. It grants nothing that the caller lacks.',
  })
  @ApiRefusals(Problem, { 404: 'No such owner that this caller may see', 409: 'The name is taken' })
  async create(@Caller() caller: Principal, @Body() body: CreateToken): Promise<TokenWithSecret> {
    return this.showOnce(await this.tokens.issue(caller, body));
  }

  @Get()
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'listTokens',
    summary: 'Lists the tokens that the caller may see',
    description: 'Those that the caller may see, page by page; each filter narrows.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListTokensQuery): Promise<TokenPage> {
    const { rows, nextCursor } = await this.tokens.list(caller, query);
    return new TokenPage(
      rows.map((row) => this.show(row)),
      nextCursor,
    );
  }

  @Get(':tokenId')
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'getToken',
    summary: 'Gets a token',
    description: 'One that the caller may see, whichever API issued it.',
  })
  @ApiParam(TOKEN_ID)
  @ApiRefusals(Problem, { 404: 'No such token that this caller may see' })
  async get(@Caller() caller: Principal, @Param('tokenId') tokenId: string): Promise<Token> {
    return this.show(await this.tokens.get(caller, tokenId));
  }

  @Patch(':tokenId')
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'updateToken',
    summary: 'Changes a token; keys left out stay as they are',
    description: 'Keys left out stay as they are.',
  })
  @ApiParam(TOKEN_ID)
  @ApiRefusals(Problem, {
    404: 'No such token that this caller may see',
    409: 'The token is revoked, or the name is taken',
  })
  async update(
    @Caller() caller: Principal,
    @Param('tokenId') tokenId: string,
    @Body() body: UpdateToken,
  ): Promise<Token> {
    return this.show(await this.tokens.update(caller, tokenId, body));
  }

  @Delete(':tokenId')
  @HttpCode(204)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'revokeToken',
    summary: 'Revokes a token, for good',
    description:
      'It stops working at once and does not come back. One that is revoked already stays as it is.',
  })
  @ApiParam(TOKEN_ID)
  @ApiRefusals(Problem, {
    404: 'No such token that this caller may see',
    409: 'More than 1,000 descendants',
  })
  async revoke(
    @Caller() caller: Principal,
    @Param('tokenId') tokenId: string,
    @Query() query: RevokeTokenQuery,
  ): Promise<void> {
    await this.tokens.revoke(caller, tokenId, query);
  }

  @Post(':tokenId/rotate')
  @HttpCode(200)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'rotateToken',
    summary: 'Gives a token a new value; the old one dies, at once or after a grace',
    description:
      'The answer alone shows the new value. The old one works on for `graceSeconds`, 0 unless given.',
  })
  @ApiParam(TOKEN_ID)
  @ApiBody({ type: RotateToken, required: false })
  @ApiRefusals(Problem, {
    404: 'No such token that this caller may see',
    409: 'The token is revoked, or another rotation was first',
  })
  async rotate(
    @Caller() caller: Principal,
    @Param('tokenId') tokenId: string,
    @Body() { graceSeconds }: RotateToken,
  ): Promise<TokenWithSecret> {
    return this.showOnce(await this.tokens.rotate(caller, tokenId, graceSeconds));
  }

  private show(token: TokenRow): Token {
    return new Token(token, this.registry.of(token).externalId(token));
  }

  private showOnce({ token, value }: IssuedToken): TokenWithSecret {
    return new TokenWithSecret(token, this.registry.of(token).externalId(token), value);
  }
}
