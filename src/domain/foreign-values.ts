/** The maximum length of a stored name of a person, in characters. */
export const MAX_NAME_CHARACTERS = 256;
const MAX_PATH_CHARACTERS = 4_096;
/** 0001-01-01 and 9999-12-31: PostgreSQL reads ISO 8601 dates with four-digit years. */
const MIN_DATE_MS = -62_135_596_800_000;
const MAX_DATE_MS = 253_402_300_799_999;
const MAX_INT4 = 2_147_483_647;

/**
 * Admits values from repositories and GitLab: each function returns a value that PostgreSQL can store, or null.
 * Git accepts any number as a date and any bytes as a name.
 */
export const admit = {
  /** Seconds since 1970, as git counts them; ISO 8601. */
  date(seconds: number): string | null {
    const ms = seconds * 1_000;
    if (!Number.isFinite(ms) || ms < MIN_DATE_MS || ms > MAX_DATE_MS) return null;
    return new Date(ms).toISOString();
  },
  /** A count, a length or a line number: a whole number from 0 to the end of `int4`. */
  count(value: number): number | null {
    // turns -0 into 0
    return Number.isInteger(value) && value >= 0 && value <= MAX_INT4 ? Math.abs(value) : null;
  },
  /** A name of a person, cut at 256 characters; null for an empty one. */
  name(text: string): string | null {
    const name = storable(cutText(text, MAX_NAME_CHARACTERS)).trim();
    return name === '' ? null : name;
  },
  path(text: string): string {
    return storable(cutText(text, MAX_PATH_CHARACTERS));
  },
} as const;

/** Cuts between characters, never inside one. */
function cutText(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  // a character has at most two code units
  return Array.from(text.slice(0, maxCharacters * 2))
    .slice(0, maxCharacters)
    .join('');
}

/** PostgreSQL stores no NUL, and UTF-8 has no lone surrogates. */
function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}
