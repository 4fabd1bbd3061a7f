import './base.css';
import './team.css';
import './cells.css';
import './history.css';
