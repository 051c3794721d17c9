import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '../../../auth/require-scopes.decorator.js';
import { ForemanHeaders } from '../foreman-headers.interceptor.js';
import { ApipieChecksum } from '../foreman.dto.js';
import { Apipie, type ApipieDocument } from './apipie.js';

const DOCUMENT = {
  description: 'An apipie description',
  schema: { type: 'object', example: { docs: { name: 'Foreman', resources: {} } } },
};

/**
 * The description of the API that Foreman's own clients build their commands and calls from; open to anybody.
 * They ask for the file of their language first (`retrieve_apidoc`), and for the checksum (`check_cache`):
 * https://github.com/Apipie/apipie-bindings/blob/master/lib/apipie_bindings/api.rb
 * https://github.com/Apipie/apypie/blob/master/apypie/api.py
 */
@ApiTags('apidoc')
@Controller('apidoc')
@UseInterceptors(ForemanHeaders)
export class ApidocController {
  constructor(private readonly apipie: Apipie) {}

  @Get(['v2.json', 'v2.en.json'])
  @Public()
  @ApiOperation({
    operationId: 'getApipie',
    summary: 'Gets the apipie description',
    description:
      "Foreman's own clients are generated from it. Needs no credentials. `/apidoc/v2.en.json` is the same.",
  })
  @ApiOkResponse(DOCUMENT)
  document(): ApipieDocument {
    return this.apipie.document;
  }

  @Get('apipie_checksum')
  @Public()
  @ApiOperation({
    operationId: 'getApipieChecksum',
    summary: 'Gets the checksum of the description',
    description:
      'Every response repeats it in `Apipie-Checksum`; a client with another checksum reloads the description.',
  })
  checksum(): ApipieChecksum {
    // https://github.com/Apipie/apipie-rails/blob/master/app/views/apipie/apipies/apipie_checksum.json.erb
    return { checksum: this.apipie.checksum };
  }
}
