import { Controller, Get, Query, Req, Res, type StreamableFile, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { ApiExport } from '../exports/api-export.decorator.js';
import { Exports } from '../exports/exports.js';
import { COLUMNS, EXAMPLE, TokenExport } from './token-export.service.js';
import { ExportTokensQuery } from './tokens.dto.js';

/** All tokens that a caller may see, or what a filter leaves of them. */
@ApiTags('tokens')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/tokens/export')
@UsePipes(validationPipe('refused'))
export class TokenExportController {
  constructor(
    private readonly tokens: TokenExport,
    private readonly exports: Exports,
  ) {}

  @Get()
  @RequireScopes(PATOIS, 'patois:tokens.read')
  @ApiOperation({
    operationId: 'exportTokens',
    summary: 'Exports the tokens that the caller may see, newest first',
    description:
      'All that the filters mean, as they stood when the export began, without their values. The last line says how many there were: without it the export is not whole.',
  })
  @ApiExport(COLUMNS, EXAMPLE)
  @ApiRefusals(Problem, { 429: 'Two exports of this user are under way', 503: 'Many exports at once' })
  async export(
    @Caller() caller: Principal,
    @Query() query: ExportTokensQuery,
    @Req() { method }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const spec = await this.tokens.specOf(caller, query);
    if (method === 'HEAD') return this.exports.headOf(spec);
    return this.exports.begin(caller, spec, reply);
  }
}
