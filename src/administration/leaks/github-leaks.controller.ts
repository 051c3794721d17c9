import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { headerLines } from '../../http/header-lines.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { Problem } from '../../native/problem.dto.js';
import { GitHubReportService } from './github-reports.service.js';
import { GitHubLabel, GitHubMatch } from './leaks.dto.js';

const KEY_IDENTIFIER = 'github-public-key-identifier';
const SIGNATURE = 'github-public-key-signature';
const NO_BODY = Buffer.alloc(0);

/** What GitHub finds in public repositories and packages. */
@ApiTags('leaks')
@Controller('patois/v1/leaks/github')
export class GitHubLeaksController {
  constructor(private readonly reports: GitHubReportService) {}

  @Post()
  @HttpCode(200)
  @Public()
  @ApiOperation({
    operationId: 'reportLeaksByGitHub',
    summary: "Takes a report of GitHub's secret scanning",
    description:
      "As GitHub's secret scanning partner program has it. The signature over the body is the credential; what is done about each token is as in `reportLeaks`.",
  })
  @ApiHeader({ name: 'Github-Public-Key-Identifier', description: 'Which key has signed.', required: true })
  @ApiHeader({
    name: 'Github-Public-Key-Signature',
    description: 'ECDSA over P-256 and SHA-256 of the body, DER in base64.',
    required: true,
  })
  @ApiBody({ type: [GitHubMatch] })
  @ApiOkResponse({ type: [GitHubLabel] })
  @ApiRefusals(Problem, {
    400: 'Bad input',
    403: 'GitHub has not signed it',
    404: 'The server is not set up for reports of GitHub',
    429: 'Too many wrong signatures from this address',
    503: "Nothing was done, or GitHub's keys cannot be read: report again",
  })
  async report(@Body() body: unknown, @Req() request: FastifyRequest): Promise<GitHubLabel[]> {
    const { rawBody, origin } = request.patois;
    const [keyIdentifier, signature] = [KEY_IDENTIFIER, SIGNATURE].map((name) => only(request, name));
    const bytes = rawBody instanceof Buffer ? rawBody : NO_BODY;
    return this.reports.report({ keyIdentifier, signature }, bytes, body, origin);
  }
}

function only(request: FastifyRequest, name: string): string | undefined {
  const lines = headerLines(request, name);
  return lines.length === 1 ? lines[0] : undefined;
}
