import { Body, Controller, HttpCode, Post, Req, UsePipes } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { Problem } from '../../native/problem.dto.js';
import { LeaksReceived, ReportLeaks } from './leaks.dto.js';
import { LeakReportService } from './leaks.service.js';

/** Values that were found where they should not be, reported by anybody. */
@ApiTags('leaks')
@Controller('patois/v1/leaks')
@UsePipes(validationPipe('refused'))
export class LeaksController {
  constructor(private readonly reports: LeakReportService) {}

  @Post()
  @HttpCode(202)
  @Public()
  @ApiOperation({
    operationId: 'reportLeaks',
    summary: 'Reports 1 to 100 texts that may be leaked tokens',
    description:
      'No credential is needed. The answer is the same whatever the texts are. Those that are values of tokens are revoked when it is given, or reported, where the policy of their organization says `onLeak: "notify"`. Each address may call 60 times a minute.',
  })
  @ApiAcceptedResponse({ type: LeaksReceived })
  @ApiRefusals(Problem, {
    400: 'Bad input',
    429: 'Too many reports from this address',
    503: 'Nothing was done: report again',
  })
  async report(@Body() body: ReportLeaks, @Req() request: FastifyRequest): Promise<LeaksReceived> {
    await this.reports.report(body, request.patois.origin);
    return new LeaksReceived();
  }
}
