import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequireScopes, Public } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { DatabasePing } from './database-ping.js';
import { ForemanHeaders } from './foreman-headers.interceptor.js';
import { FOREMAN, VERSION } from './foreman.dialect.js';
import { ForemanError, ForemanPing, ForemanStatuses } from './foreman.dto.js';

/**
 * The state of the server and of what it needs, for `hammer ping` and `hammer status`:
 * https://github.com/theforeman/foreman/blob/develop/app/controllers/api/v2/ping_controller.rb
 * https://github.com/theforeman/foreman/blob/develop/app/services/ping.rb
 * Of Foreman's subcomponents there is only the database; the lists of the others are empty, as in a Foreman
 * that has none. `hammer status` reads all of them:
 * https://github.com/theforeman/hammer-cli-foreman/blob/master/lib/hammer_cli_foreman/status.rb
 */
@ApiTags('ping')
@Controller('api')
@UseInterceptors(ForemanHeaders)
export class PingController {
  constructor(private readonly database: DatabasePing) {}

  @Get('ping')
  @Public() // `skip_before_action :authorize, only: [:ping]`
  @ApiOperation({
    operationId: 'ping',
    summary: "Shows status of Foreman system and it's subcomponents",
    description:
      'Needs no credentials. A database that does not answer is reported with 200 and `active: false`.',
  })
  async ping(): Promise<ForemanPing> {
    return { results: { foreman: { database: await this.database.measure() } } };
  }

  @Get('statuses')
  @RequireScopes(FOREMAN)
  @ApiOperation({
    operationId: 'statuses',
    summary: "Shows status and version information of Foreman system and it's subcomponents",
    description: 'Any valid credential is accepted.',
  })
  @ApiRefusals(ForemanError, {
    401: 'missing or wrong credentials',
    403: 'an address that the token does not allow',
  })
  async statuses(): Promise<ForemanStatuses> {
    const none = { plugins: [], smart_proxies: [], compute_resources: [] };
    const database = await this.database.measure();
    // `api.version` is apipie's default version, the text `v2`; `GET /api/status` has the number 2.
    return { results: { foreman: { version: VERSION, api: { version: 'v2' }, ...none, database } } };
  }
}
