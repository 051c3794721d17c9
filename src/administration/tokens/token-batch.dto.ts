import { ApiProperty } from '@nestjs/swagger';
import { CreateToken, TokenWithSecret } from './tokens.dto.js';

/** The body that makes many tokens. */
export class CreateTokens {
  @ApiProperty({ minItems: 1, maxItems: 1000 })
  tokens!: CreateToken[];
}

/** The tokens that were made, in the order of the request. */
export class TokensWithSecrets {
  tokens!: TokenWithSecret[];
}
