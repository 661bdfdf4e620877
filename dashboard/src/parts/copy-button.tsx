import { ActionIcon, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';

/** Copies a text. Plain http has no clipboard API; there a prompt shows the text selected. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(text));
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <Tooltip label={isCopied ? 'Copied' : label}>
      <ActionIcon size="sm" aria-label={label} onClick={() => void copy()}>
        {isCopied ? <IconCheck size={14} /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** @returns whether the text is in the clipboard */
export async function copyText(text: string): Promise<boolean> {
  if ('clipboard' in navigator) {
    await navigator.clipboard.writeText(text);
    return true;
  }
  window.prompt('Copy this text', text);
  return false;
}
