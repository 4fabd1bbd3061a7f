import './base.css';
import './forms.css';
import './panel.css';
import './gallery.css';
import './cells.css';
import './history.css';
