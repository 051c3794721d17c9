import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../../access/needs.js';
import { Refuses } from '../../access/refuses.js';
import { FOREMAN, VERSION } from './foreman.dialect.js';
import { ForemanError, ForemanStatus } from './foreman.dto.js';
import { ForemanHeaders } from './foreman-headers.interceptor.js';

/** The server itself: clients ask for it to see whether their credentials are right. */
@ApiTags('home')
@Controller('api')
@UseInterceptors(ForemanHeaders)
export class HomeController {
  @Get('status')
  @Needs(FOREMAN)
  @ApiOperation({
    operationId: 'showStatus',
    summary: 'Show status',
    description: 'Clients ask for it to see whether their credentials are right: any valid ones will do.',
  })
  @Refuses(ForemanError, { 401: 'no or wrong credentials', 403: 'a wrong address' })
  status(): ForemanStatus {
    return { result: 'ok', status: 200, version: VERSION, api_version: 2 };
  }
}
