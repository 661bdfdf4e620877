/** A secret as it may be stored: `record` is opaque, `keyId` names the key of the ring that opens it. */
export interface SealedSecret {
  keyId: string;
  record: Buffer;
}

/**
 * The place that a secret belongs to. It is bound into the record: what was sealed for one place does not open in
 * another, nor as another version of the same place.
 */
export interface SealContext {
  table: string;
  rowId: string;
  /** Counts the values that this place has held. */
  version: number;
  /** Which secret of the row, where a row holds several; `secret` when left out. */
  column?: string;
}
