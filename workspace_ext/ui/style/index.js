import './base.css';
import './cells.css';
import './history.css';
