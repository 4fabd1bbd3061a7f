import './base.css';
import './team.css';
import './gallery.css';
import './cells.css';
import './history.css';
