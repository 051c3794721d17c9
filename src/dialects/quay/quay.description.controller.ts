import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { CONFIG, type Config } from '../../config.js';
import { publicUrlOf } from '../../http/public-url.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { Refusal } from '../../refusal.js';
import { ERROR_DESCRIPTIONS, errorPage, isErrorType } from './quay.dialect.js';
import { describeApi, type SwaggerDocument } from './quay.discovery.js';
import { QuayError, QuayErrorDescription } from './quay.dto.js';

/**
 * The descriptions of this API and of its errors, which need no credentials:
 * https://github.com/quay/quay/blob/master/endpoints/api/discovery.py
 * https://github.com/quay/quay/blob/master/endpoints/api/error.py
 */
@ApiTags('discovery')
@Controller('api/v1')
export class QuayDescriptionController {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Get('discovery')
  @Public()
  @ApiOperation({
    operationId: 'discovery',
    summary: 'Describes this API in Swagger 2.0',
    description: "For client generators and Swagger UI, in the form that Quay's own clients read.",
  })
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  discover(@Req() request: FastifyRequest): SwaggerDocument {
    const createStatus = this.config.quayFidelity === 'deployed' ? 200 : 201;
    return describeApi(publicUrlOf(request, this.config), createStatus);
  }

  @Get('error/:error_type')
  @ApiParam({ name: 'error_type', description: 'The `error_type` of an error.', example: 'not_found' })
  @Public()
  @ApiOperation({
    operationId: 'getErrorDescription',
    summary: 'Describes a kind of error',
    description: 'The `type` of every error is the URL of such a page.',
  })
  @ApiRefusals(QuayError, { 404: 'not_found' })
  describe(@Param('error_type') type: string, @Req() request: FastifyRequest): QuayErrorDescription {
    if (!isErrorType(type)) throw new Refusal('notFound');
    return new QuayErrorDescription(errorPage(this.config, request, type), type, ERROR_DESCRIPTIONS[type]);
  }
}
