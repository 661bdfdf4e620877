import { Page } from '../../parts/page.tsx';

export default function Channels() {
  return <Page title="Channels">{null}</Page>;
}
