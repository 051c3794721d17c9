import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { ForemanHeaders } from './foreman-headers.interceptor.js';
import { FOREMAN, VERSION } from './foreman.dialect.js';
import { ForemanError, ForemanStatus } from './foreman.dto.js';

/**
 * The server itself. Clients call it to test their credentials: `login` of hammer,
 * https://github.com/theforeman/hammer-cli-foreman/blob/master/lib/hammer_cli_foreman/api/connection.rb
 * and `status` of the Ansible collection,
 * https://github.com/theforeman/foreman-ansible-modules/blob/develop/plugins/module_utils/foreman_helper.py
 */
@ApiTags('home')
@Controller('api')
@UseInterceptors(ForemanHeaders)
export class HomeController {
  @Get('status')
  @RequireScopes(FOREMAN)
  @ApiOperation({
    operationId: 'showStatus',
    summary: 'Show status',
    description: 'Lets clients check their credentials: any valid ones are accepted.',
  })
  @ApiRefusals(ForemanError, {
    401: 'missing or wrong credentials',
    403: 'an address that the token does not allow',
  })
  status(): ForemanStatus {
    // https://github.com/theforeman/foreman/blob/develop/app/views/api/v2/home/status.json.rabl
    return { result: 'ok', status: 200, version: VERSION, api_version: 2 };
  }
}
