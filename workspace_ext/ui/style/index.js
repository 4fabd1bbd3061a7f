import './base.css';
import './gallery.css';
import './cells.css';
import './history.css';
