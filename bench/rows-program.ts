import type { RowsInput } from './rows.ts';
import { measureRows } from './rows.ts';

process.once('message', (input: RowsInput) => {
  void measureRows(input).then((answer) => process.send?.(answer));
});
