import { Page } from '../../parts/page.tsx';

export default function Repository() {
  return <Page title="Repository">{null}</Page>;
}
