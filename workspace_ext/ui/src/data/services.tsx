import * as React from 'react';
import { ago } from '../format';
import { Section } from '../panel/parts';
import { trans } from '../translation';
import type { DataOverview, ServiceInfo } from '../types';

const SHOWN = 60;

/** The services, what each sends, and whose it is; to be searched by name and owner. */
export function ServicesSection(props: { overview: DataOverview }): React.ReactElement {
  const { services } = props.overview;
  const [text, setText] = React.useState('');
  const wanted = text.trim().toLowerCase();
  const found = services.filter(service =>
    `${service.name} ${service.owner ?? ''}`.toLowerCase().includes(wanted)
  );
  return (
    <Section id="data-services" title={trans.__('Services')} size={services.length} closed>
      {services.length > 10 && (
        <input
          type="search"
          className="jp-mod-styled jp-Investigation-search"
          aria-label={trans.__('Search services')}
          placeholder={trans.__('Search by name or owner')}
          value={text}
          onChange={event => setText(event.target.value)}
        />
      )}
      <ul className="jp-Investigation-dense">
        {found.slice(0, SHOWN).map(service => (
          <li key={service.name}>
            <p className="jp-Investigation-byline">
              <span className="jp-Investigation-who" title={service.name}>
                {service.name}
              </span>
              <span>{Object.keys(service.signals).join(', ')}</span>
            </p>
            <p className="jp-Investigation-detail">{about(service)}</p>
          </li>
        ))}
      </ul>
      {found.length > SHOWN && (
        <p className="jp-Investigation-detail">
          {trans.__('%1 more: search for the one you want.', found.length - SHOWN)}
        </p>
      )}
    </Section>
  );
}

function about(service: ServiceInfo): string {
  const newest = Object.values(service.signals)
    .flatMap(signal => signal.newest ?? [])
    .sort((a, b) => Date.parse(b) - Date.parse(a))[0];
  const parts = [service.owner, service.tier, service.lifecycle, newest ? ago(newest) : ''];
  return parts.filter(Boolean).join(' · ');
}
