import { IsInt, Max, Min } from 'class-validator';
import { IsText, Optional, WholeNumber } from '../http/validation/fields.js';

/** What every list takes: where to go on, and how many at most. */
export class ListQuery {
  /** The `nextCursor` of the previous page. */
  @Optional()
  @IsText(2000)
  cursor?: string;

  /** How many at most. */
  @Optional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(1000)
  limit: number = 50;
}
