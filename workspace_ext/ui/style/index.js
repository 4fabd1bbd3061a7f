import './base.css';
import './team.css';
import './cells.css';
